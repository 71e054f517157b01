//! What keeps the number of replicas from swinging: a need is held for a while, steps down are rare and small, and a
//! service that acts often acts more calmly.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// A need is held for this many start delays: what was just needed is likely to be needed again before a new replica
/// would be there.
const HOLD_STARTS: f64 = 3.0;
const HOLD_LEAST_S: f64 = 60.0;
const HOLD_MOST_S: f64 = 600.0;
/// Between two steps down, in seconds.
const BETWEEN_STEPS_S: f64 = 30.0;
/// A step down takes at most this share of the replicas, one at least.
const STEP_SHARE: f64 = 0.5;
/// And is not worth it below this share.
const WORTH_SHARE: f64 = 0.08;
/// Actions an hour beyond which holds grow.
const CALM_ACTIONS: f64 = 20.0;
const PER_MORE_ACTIONS: f64 = 10.0;
/// A floor that is missed by little is met after this time, in seconds; more than a tenth is met at once.
const PATIENCE_S: f64 = 20.0;
/// Between two urgent steps of less than a tenth, in seconds.
const BETWEEN_SMALL_S: f64 = 10.0;

/// What is remembered of needs and actions. Times are on the service's clock, which stands still while nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Hold {
    clock_s: f64,
    /// Needs that no later one exceeds, oldest and highest first.
    needs: VecDeque<(f64, u32)>,
    last_up_s: Option<f64>,
    last_down_s: Option<f64>,
    short_since_s: Option<f64>,
    actions: VecDeque<f64>,
}

/// What the queues, processors and connections ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    /// Or jobs will wait too long.
    pub(super) urgent: u32,
    /// What should stand.
    pub(super) floor: u32,
    /// What must not go.
    pub(super) stay: u32,
}

/// A number, and what it was held by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Held {
    /// It is what was asked for.
    Not,
    /// So many were needed lately; for so many seconds yet.
    Need { replicas: u32, for_s: f64 },
    /// The last step was a moment ago; for so many seconds yet.
    Step { for_s: f64 },
    /// Replicas still start.
    Starting,
    /// The step would be too small to be worth it, or may be over in a moment.
    Small,
}

impl Hold {
    pub(super) fn advance(&mut self, span_s: f64) {
        self.clock_s += span_s;
    }

    /// The number to ask for.
    pub(super) fn settle(
        &mut self,
        asked: Asked,
        desired: u32,
        starting: usize,
        start_s: f64,
        reserve: f64,
    ) -> (u32, Held) {
        let now_s = self.clock_s;
        while self.actions.front().is_some_and(|at_s| now_s - at_s > 3_600.0) {
            self.actions.pop_front();
        }
        let an_hour = self.actions.len() as f64 * 3_600.0 / now_s.clamp(900.0, 3_600.0);
        let calm = 1.0 + (an_hour - CALM_ACTIONS).max(0.0) / PER_MORE_ACTIONS;
        let hold_s = (HOLD_STARTS * start_s * (1.0 + reserve) * calm).clamp(HOLD_LEAST_S, HOLD_MOST_S);
        if self.needs.is_empty() {
            // What runs when the first decision is made was needed until now, for all that is known.
            self.needs.push_back((now_s, desired));
        }
        let needed = self.needed(asked.floor, hold_s);

        let (number, held) = self.step(asked, desired, starting, needed, hold_s, calm);
        if number != desired {
            self.actions.push_back(now_s);
        }
        (number, held)
    }

    fn step(
        &mut self,
        asked: Asked,
        desired: u32,
        starting: usize,
        needed: (f64, u32),
        hold_s: f64,
        calm: f64,
    ) -> (u32, Held) {
        let now_s = self.clock_s;
        let have = f64::from(desired);
        if asked.floor > desired {
            self.short_since_s.get_or_insert(now_s);
        } else {
            self.short_since_s = None;
        }
        let by_much = |count: u32| f64::from(count) >= have * 1.1 + 1.0;
        let patient = self.short_since_s.is_some_and(|since| now_s - since >= PATIENCE_S)
            || by_much(asked.floor)
            || desired == 0;
        let floor = if patient { asked.floor } else { 0 };
        let just_now = self.last_up_s.is_some_and(|at_s| {
            now_s - at_s < BETWEEN_SMALL_S && self.last_down_s.is_none_or(|down_s| at_s > down_s)
        });
        let urgent = if just_now && f64::from(asked.urgent) < have * 1.1 { 0 } else { asked.urgent };
        let up = urgent.max(floor);
        if up > desired {
            self.last_up_s = Some(now_s);
            return (up, Held::Not);
        }
        if asked.urgent > desired || asked.floor > desired {
            return (desired, Held::Small);
        }

        let (since_s, needed) = needed;
        let target = needed.max(asked.stay);
        if target >= desired {
            let held = match needed > asked.floor.max(asked.stay) {
                true => Held::Need { replicas: needed, for_s: (since_s + hold_s - now_s).max(0.0) },
                false => Held::Not,
            };
            return (desired, held);
        }
        if starting > 0 {
            return (desired, Held::Starting);
        }
        // What was just asked for was asked for with a reason.
        let last_s = self.last_down_s.into_iter().chain(self.last_up_s).fold(f64::NEG_INFINITY, f64::max);
        let waited_s = now_s - last_s;
        if waited_s < BETWEEN_STEPS_S * calm {
            return (desired, Held::Step { for_s: BETWEEN_STEPS_S * calm - waited_s });
        }
        if f64::from(desired - target) < WORTH_SHARE * have {
            return (desired, Held::Small);
        }
        self.last_down_s = Some(now_s);
        let most = (have * STEP_SHARE).floor().max(1.0) as u32;
        (desired - (desired - target).min(most), Held::Not)
    }

    /// The highest floor of the last `hold_s`, and when it was.
    fn needed(&mut self, floor: u32, hold_s: f64) -> (f64, u32) {
        let now_s = self.clock_s;
        while self.needs.back().is_some_and(|(_, needed)| *needed <= floor) {
            self.needs.pop_back();
        }
        self.needs.push_back((now_s, floor));
        while self.needs.len() > 1 && self.needs.front().is_some_and(|(at_s, _)| now_s - at_s > hold_s) {
            self.needs.pop_front();
        }
        self.needs.front().copied().unwrap_or((now_s, floor))
    }
}
