//! When a rule is due: on its group's grid, when a `for` or `keep_firing_for` ends, and when samples wake it.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::set::Entry;
use super::state::RuleState;
use super::unhealthy;

/// What a rule that samples wake may use of one processor: one part in so many.
const SHARE: f64 = 20.0;
/// Samples that change nothing wake a rule that reads ranges at most this often, in milliseconds.
const TOUCH_MS: i64 = 1_000;

/// What is due when.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    timers: BinaryHeap<Reverse<(i64, usize)>>,
    woken: BTreeSet<usize>,
}

impl Schedule {
    /// Samples woke a rule.
    pub(crate) fn wake(&mut self, index: usize) {
        self.woken.insert(index);
    }

    /// Has a rule's timer ring at `due_ms` and at no other time.
    pub(crate) fn set(&mut self, index: usize, state: &mut RuleState, due_ms: i64) {
        // Each arrival sets it, mostly to what it is.
        if state.due_ms == due_ms {
            return;
        }
        state.due_ms = due_ms;
        self.timers.push(Reverse((due_ms, index)));
    }

    /// The next ring.
    pub(crate) fn next(&self) -> Option<i64> {
        self.timers.peek().map(|Reverse((due, _))| *due)
    }

    /// Takes what is due: the rule, and the time it is evaluated for where that is a turn of the grid.
    pub(crate) fn take(&mut self, now_ms: i64, states: &[RuleState]) -> BTreeSet<usize> {
        let mut due = BTreeSet::new();
        while let Some(Reverse((at, index))) = self.timers.peek().copied() {
            if at > now_ms {
                break;
            }
            self.timers.pop();
            if states.get(index).is_some_and(|state| state.due_ms == at) {
                due.insert(index);
            }
        }
        due.append(&mut self.woken);
        due
    }
}

/// The group's turn after `at_ms`.
pub(crate) fn turn_after(entry: &Entry, at_ms: i64) -> i64 {
    turn_at(entry, at_ms) + entry.interval_ms
}

/// The group's turn at or before `at_ms`.
pub(crate) fn turn_at(entry: &Entry, at_ms: i64) -> i64 {
    (at_ms - entry.phase_ms).div_euclid(entry.interval_ms) * entry.interval_ms + entry.phase_ms
}

/// When a rule that was just evaluated is due again by time alone.
pub(crate) fn due_after(entry: &Entry, state: &RuleState, now_ms: i64, intervals: i64) -> i64 {
    let mut due = turn_after(entry, now_ms);
    let ms = |at: ops_contract::Timestamp| at.0.div_euclid(1_000);
    for alert in state.living.values() {
        if alert.state == ops_contract::AlertState::Pending {
            due = due.min(ms(alert.active_at) + entry.rule.for_ms());
        } else if let Some(since) = alert.keep_firing_since {
            due = due.min(ms(since) + entry.rule.keep_firing_for_ms());
        }
    }
    if let (Some(since), None) = (state.unhealthy_since_ms, &state.unhealthy) {
        due = due.min(since + unhealthy::patience_ms(entry, intervals));
    }
    // What should have been and was not, because its data is missing, must not turn in circles.
    due.max(now_ms + 10)
}

/// Whether samples may wake a rule now; if not, when.
pub(crate) fn may_wake(state: &RuleState, now_ms: i64, touched_only: bool) -> Result<(), i64> {
    let Some(last) = state.evaluated_ms else { return Ok(()) };
    let rest = (state.took_s * 1_000.0 * SHARE) as i64;
    let rest = if touched_only { rest.max(TOUCH_MS) } else { rest };
    // A millisecond of evaluation is free: most rules take less.
    if state.took_s < 0.001 && !touched_only {
        return Ok(());
    }
    let at = last + rest;
    if now_ms >= at { Ok(()) } else { Err(at) }
}
