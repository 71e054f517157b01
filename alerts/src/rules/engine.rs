use std::collections::HashMap;
use std::sync::Arc;

use ops_contract::{Alert, AlertState, RuleView, Timestamp};

use super::plan::plan;
use super::schedule::{Schedule, due_after, may_wake, turn_after, turn_at};
use super::state::RuleState;
use super::step::{Next, Step, Transition};
use super::{Job, Outcome, RuleSet, series, unhealthy, view};

/// Whether an empty result means that there is no data is looked at this often, in milliseconds.
const CHECK_MS: i64 = 60_000;

/// What every rule found so far, and what is due.
#[derive(Debug, Default)]
pub struct Engine {
    rules: Arc<RuleSet>,
    states: Vec<RuleState>,
    schedule: Schedule,
    started_ms: i64,
    /// Stored alerts of rules that are no longer there; they end with the first pass.
    strays: Vec<Alert>,
}

/// The place of the job that ends strays.
const STRAYS: usize = usize::MAX;

impl Engine {
    /// Begins with what was stored; every rule is due at once, and goes on where it was.
    #[must_use]
    pub fn new(rules: Arc<RuleSet>, stored: Vec<Alert>, now_ms: i64) -> Self {
        let mut engine = Self { started_ms: now_ms, ..Self::default() };
        engine.set_rules(rules, now_ms);
        let places: HashMap<String, usize> =
            engine.rules.entries.iter().enumerate().map(|(at, it)| (it.rule.id.clone(), at)).collect();
        for alert in stored {
            let rule = unhealthy::subject(&alert).unwrap_or(&alert.rule);
            let Some(state) = places.get(rule).and_then(|at| engine.states.get_mut(*at)) else {
                if alert.state != AlertState::Resolved {
                    engine.strays.push(alert);
                }
                continue;
            };
            if unhealthy::subject(&alert).is_none() || alert.state == AlertState::Resolved {
                state.take_up(alert);
            } else {
                state.health = Some(unhealthy::health(&alert));
                state.unhealthy_since_ms = Some(ms(alert.active_at));
                state.unhealthy = Some(alert);
            }
        }
        engine
    }

    /// Takes up other rules. What is the same goes on; what is no longer there ends, and that is to be stored.
    pub fn replace(&mut self, rules: Arc<RuleSet>, now_ms: i64) -> Vec<Step> {
        let old_rules = std::mem::take(&mut self.rules);
        let old_states = std::mem::take(&mut self.states);
        self.schedule = Schedule::default();
        self.set_rules(rules, now_ms);
        let places: HashMap<String, usize> =
            self.rules.entries.iter().enumerate().map(|(at, it)| (it.rule.id.clone(), at)).collect();
        let mut steps = Vec::new();
        for (entry, mut state) in old_rules.entries.iter().zip(old_states) {
            let place = places.get(&entry.rule.id).copied();
            let same =
                place.filter(|at| self.rules.entries.get(*at).is_some_and(|it| it.rule.is_same(&entry.rule)));
            match same.and_then(|at| self.states.get_mut(at)) {
                Some(new) => {
                    // Its time is that of the new schedule.
                    state.due_ms = new.due_ms;
                    *new = state;
                }
                None => steps.extend(farewell(&entry.rule.id, state, now_ms)),
            }
        }
        steps
    }

    /// Samples of these metrics arrived: `changed` have another value than before, `touched` have any.
    pub fn arrived(&mut self, changed: &[Arc<str>], touched: &[Arc<str>], now_ms: i64) {
        if self.rules.settings.timer_only {
            return;
        }
        for name in changed {
            self.wake(name, now_ms, false);
        }
        for name in touched {
            self.wake(name, now_ms, true);
        }
    }

    fn wake(&mut self, metric: &str, now_ms: i64, touched_only: bool) {
        for index in self.rules.readers(metric) {
            let (Some(entry), Some(state)) = (self.rules.entries.get(index), self.states.get_mut(index))
            else {
                continue;
            };
            state.heard = true;
            if touched_only && !entry.rule.query.reads().depends_on_time {
                continue;
            }
            match may_wake(state, now_ms, touched_only) {
                Ok(()) => self.schedule.wake(index),
                Err(at) if at < state.due_ms => self.schedule.set(index, state, at),
                Err(_) => {}
            }
        }
    }

    /// Takes what is due, in the order in which it is to be evaluated.
    pub fn due(&mut self, now_ms: i64) -> Vec<Job> {
        let due = self.schedule.take(now_ms, &self.states);
        let mut jobs = Vec::with_capacity(due.len());
        if !self.strays.is_empty() {
            jobs.push(job(STRAYS, &self.rules, &RuleState::default(), None, now_ms));
        }
        for index in due {
            let (Some(entry), Some(state)) = (self.rules.entries.get(index), self.states.get_mut(index))
            else {
                continue;
            };
            // Should the caller be cut off, the grid brings it back.
            self.schedule.set(index, state, turn_after(entry, now_ms));
            let at_ms = self.rules.settings.timer_only.then(|| turn_at(entry, now_ms));
            jobs.push(job(index, &self.rules, state, at_ms, now_ms));
        }
        jobs
    }

    /// Every rule, whatever is due, evaluated for `at_ms`.
    pub(crate) fn all(&self, at_ms: i64) -> Vec<Job> {
        let states = self.states.iter().enumerate();
        states.map(|(index, state)| job(index, &self.rules, state, Some(at_ms), at_ms)).collect()
    }

    /// When something is due next, if nothing arrives until then, in milliseconds.
    #[must_use]
    pub fn next_due_ms(&self) -> Option<i64> {
        self.schedule.next()
    }

    /// What an outcome changes. Nothing has changed until [`Engine::apply`] has taken it.
    #[must_use]
    pub fn plan(&self, outcome: &Outcome) -> Step {
        if outcome.index == STRAYS && !self.strays.is_empty() {
            let state = RuleState {
                living: self.strays.iter().map(|it| (it.id.clone(), it.clone())).collect(),
                ..RuleState::default()
            };
            if let Some(mut step) = farewell("", state, outcome.at_ms) {
                step.next.void = false;
                return step;
            }
        }
        let current = Arc::ptr_eq(&outcome.rules, &self.rules);
        let entry = self.rules.entries.get(outcome.index).filter(|_| current);
        match (entry, self.states.get(outcome.index)) {
            // An older one that comes late says nothing any more; much older is a clock that was set back.
            (Some(entry), Some(state))
                if state
                    .evaluated_ms
                    .is_none_or(|at| at <= outcome.at_ms || at - outcome.at_ms > entry.interval_ms) =>
            {
                let intervals = self.rules.settings.unhealthy_intervals;
                plan(entry, state, outcome, intervals, self.started_ms)
            }
            _ => empty(String::new(), outcome.index, Next { void: true, ..Next::default() }),
        }
    }

    /// Has a step count, after it was stored. Its samples are the caller's to write.
    pub fn apply(&mut self, step: Step) {
        let next = step.next;
        if step.index == STRAYS && !next.void {
            self.strays.clear();
        }
        let entry = self.rules.entries.get(step.index).filter(|it| it.rule.id == step.rule && !next.void);
        let (Some(entry), Some(state)) = (entry, self.states.get_mut(step.index)) else { return };
        for alert in step.upserts {
            if unhealthy::subject(&alert).is_some() {
                state.unhealthy = Some(alert);
            } else {
                state.put(alert);
            }
        }
        for alert in step.ended {
            if unhealthy::subject(&alert).is_some() {
                state.unhealthy = None;
            }
            state.end(alert, next.at_ms);
        }
        for (fingerprint, value, annotations) in next.refreshed {
            if let Some(alert) = state.living.get_mut(&fingerprint) {
                alert.value = value;
                alert.annotations = annotations;
            }
        }
        state.health = next.health;
        state.error = next.error;
        state.unhealthy_since_ms = next.unhealthy_since_ms;
        state.evaluated_ms = Some(next.at_ms);
        state.took_s = next.took_s;
        if next.written {
            state.written_ms = next.at_ms;
        }
        if next.checked {
            state.checked_ms = next.at_ms;
        }
        if let Some(recorded) = next.recorded {
            state.recorded = Arc::new(recorded);
            state.silent = Arc::new(next.silent);
        }
        for fingerprint in next.judged {
            state.restored.remove(&fingerprint);
            state.own.remove(&fingerprint);
        }
        state.own.extend(next.own);
        let due_ms =
            due_after(entry, state, next.at_ms + entry.offset_ms, self.rules.settings.unhealthy_intervals);
        if !self.rules.settings.timer_only && due_ms < state.due_ms {
            self.schedule.set(step.index, state, due_ms);
        }
    }

    /// Every rule as pages and APIs show it, and `RuleUnhealthy` where there is or was one.
    #[must_use]
    pub fn views(&self) -> Vec<RuleView> {
        view::views(&self.rules, &self.states)
    }

    fn set_rules(&mut self, rules: Arc<RuleSet>, now_ms: i64) {
        let fresh = |_| RuleState { due_ms: i64::MIN, ..RuleState::default() };
        self.states = rules.entries.iter().map(fresh).collect();
        for (index, (entry, state)) in rules.entries.iter().zip(&mut self.states).enumerate() {
            let due_ms = if rules.settings.timer_only { turn_after(entry, now_ms) } else { now_ms };
            self.schedule.set(index, state, due_ms);
        }
        self.rules = rules;
    }
}

fn job(index: usize, rules: &Arc<RuleSet>, state: &RuleState, at_ms: Option<i64>, now_ms: i64) -> Job {
    let rule = rules.entries.get(index).map(|entry| &entry.rule);
    Job {
        index,
        rules: rules.clone(),
        at_ms,
        living: rule.map(|rule| state.for_job(rule)).unwrap_or_default(),
        recorded: state.recorded.clone(),
        silent: state.silent.clone(),
        check_inputs: now_ms - state.checked_ms >= CHECK_MS
            || state.health == Some(ops_contract::RuleHealth::NoData),
    }
}

/// Ends the alerts of a rule that is no longer there.
fn farewell(rule: &str, state: RuleState, now_ms: i64) -> Option<Step> {
    let mut step = empty(rule.to_owned(), usize::MAX, Next { void: true, ..Next::default() });
    for mut alert in state.living.into_values().chain(state.unhealthy) {
        let from = alert.state;
        series::over(&alert, from, now_ms, &mut step.samples);
        if from == AlertState::Firing {
            alert.state = AlertState::Resolved;
            alert.resolved_at = Some(Timestamp(now_ms * 1_000));
            step.transitions.push(Transition { alert: alert.clone(), from: Some(from) });
        }
        step.ended.push(alert);
    }
    step.changed = !step.ended.is_empty();
    step.changed.then_some(step)
}

fn empty(rule: String, index: usize, next: Next) -> Step {
    Step {
        rule,
        changed: false,
        upserts: Vec::new(),
        ended: Vec::new(),
        transitions: Vec::new(),
        samples: Vec::new(),
        index,
        next,
    }
}

fn ms(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000)
}
