//! What an outcome changes: the life of an alert, from pending over firing to resolved.

use std::collections::{BTreeSet, HashSet};

use ops_contract::{Alert, AlertState, RuleHealth, Timestamp};
use ops_samples::{STALE, Sample};

use super::identity::alert_id;
use super::inputs::Inputs;
use super::job::fingerprint;
use super::set::Entry;
use super::state::RuleState;
use super::step::{Next, Step, Transition};
use super::{Found, Outcome, series, unhealthy};

/// Plans one step. Changes nothing: planning twice comes to the same.
pub(crate) fn plan(
    entry: &Entry,
    state: &RuleState,
    outcome: &Outcome,
    intervals: i64,
    started_ms: i64,
) -> Step {
    let mut plan = Plan::new(entry, state, outcome);
    // Until its samples are heard again, what is missing after a start may be what was lost with the process.
    plan.waits =
        !state.heard && outcome.at_ms < started_ms.saturating_add(entry.interval_ms.saturating_mul(2));
    match &outcome.result {
        Err(error) => plan.step.next.error = Some(error.clone()),
        Ok(found) if entry.rule.is_alerting() => plan.alerts(found),
        Ok(found) => plan.record(found),
    }
    plan.health(intervals);
    plan.step
}

struct Plan<'a> {
    entry: &'a Entry,
    state: &'a RuleState,
    outcome: &'a Outcome,
    at_ms: i64,
    waits: bool,
    step: Step,
}

impl<'a> Plan<'a> {
    fn new(entry: &'a Entry, state: &'a RuleState, outcome: &'a Outcome) -> Self {
        let next = Next {
            at_ms: outcome.at_ms,
            took_s: outcome.took_s,
            checked: outcome.inputs.is_some(),
            ..Next::default()
        };
        let step = Step {
            rule: entry.rule.id.clone(),
            changed: false,
            upserts: Vec::new(),
            ended: Vec::new(),
            transitions: Vec::new(),
            samples: Vec::new(),
            index: outcome.index,
            next,
        };
        Self { entry, state, outcome, at_ms: outcome.at_ms, waits: false, step }
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.at_ms * 1_000)
    }

    fn alerts(&mut self, found: &[Found]) {
        // Series are written with each change, and once in an interval.
        let write = self.at_ms - self.state.written_ms >= self.entry.interval_ms * 9 / 10;
        self.step.next.written = write;
        let mut there = BTreeSet::new();
        for it in found {
            let fingerprint = fingerprint(&it.labels);
            match self.state.living.get(&fingerprint) {
                None => self.begin(it, fingerprint.clone()),
                Some(known) => self.go_on(known, it, write),
            }
            self.step.next.judged.insert(fingerprint.clone());
            there.insert(fingerprint);
        }
        for known in self.state.living.values().filter(|it| !there.contains(&it.fingerprint)) {
            self.miss(known, write);
        }
    }

    fn begin(&mut self, found: &Found, fingerprint: String) {
        let active_at = self.now();
        let fires = self.entry.rule.for_ms() == 0;
        let alert = Alert {
            id: alert_id(&self.entry.rule.id, &fingerprint, active_at.0),
            fingerprint,
            rule: self.entry.rule.id.clone(),
            state: if fires { AlertState::Firing } else { AlertState::Pending },
            labels: found.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            annotations: found.annotations.clone(),
            generator_url: self.entry.rule.address(),
            value: found.value,
            active_at,
            fired_at: fires.then_some(active_at),
            keep_firing_since: None,
            no_data_since: None,
            resolved_at: None,
        };
        series::living(&alert, self.at_ms, &mut self.step.samples);
        self.turn(alert.clone(), None);
        self.store(alert);
    }

    fn go_on(&mut self, known: &Alert, found: &Found, write: bool) {
        let mut alert = Alert {
            annotations: found.annotations.clone(),
            value: found.value,
            keep_firing_since: None,
            no_data_since: None,
            ..known.clone()
        };
        let held_ms = self.at_ms - known.active_at.0.div_euclid(1_000);
        let fires = known.state == AlertState::Pending && held_ms >= self.entry.rule.for_ms();
        if fires {
            alert.state = AlertState::Firing;
            alert.fired_at = Some(self.now());
            series::left(&alert, AlertState::Pending, self.at_ms, &mut self.step.samples);
        }
        if fires || write {
            series::living(&alert, self.at_ms, &mut self.step.samples);
        }
        let eased = known.keep_firing_since.is_some() || known.no_data_since.is_some();
        if fires {
            self.turn(alert.clone(), Some(known.state));
        }
        if fires || eased {
            self.store(alert);
        } else {
            self.step.next.refreshed.push((alert.fingerprint, alert.value, alert.annotations));
        }
    }

    /// The condition of a living alert does not hold, as far as can be told.
    fn miss(&mut self, known: &Alert, write: bool) {
        if self.waits && self.state.restored.contains(&known.fingerprint) {
            return;
        }
        let mut alert = known.clone();
        self.step.next.judged.insert(known.fingerprint.clone());
        if self.outcome.gone.contains(&known.fingerprint) {
            if self.outcome.own.contains(&known.fingerprint) {
                self.step.next.own.insert(known.fingerprint.clone());
            }
            if known.no_data_since.is_none() {
                alert.no_data_since = Some(self.now());
                self.store(alert.clone());
            }
            if write {
                series::living(&alert, self.at_ms, &mut self.step.samples);
            }
            return;
        }
        alert.no_data_since = None;
        let keep_ms = self.entry.rule.keep_firing_for_ms();
        if known.state == AlertState::Firing && keep_ms > 0 {
            let since = known.keep_firing_since.unwrap_or(self.now());
            if self.at_ms - since.0.div_euclid(1_000) < keep_ms {
                alert.keep_firing_since = Some(since);
                if alert != *known {
                    self.store(alert.clone());
                }
                if write {
                    series::living(&alert, self.at_ms, &mut self.step.samples);
                }
                return;
            }
        }
        series::over(known, known.state, self.at_ms, &mut self.step.samples);
        if known.state == AlertState::Firing {
            alert.state = AlertState::Resolved;
            alert.resolved_at = Some(self.now());
            self.turn(alert.clone(), Some(known.state));
        }
        self.end(alert);
    }

    fn record(&mut self, found: &[Found]) {
        let at_ms = self.at_ms;
        let mut recorded: HashSet<_> = found.iter().map(|it| it.labels.clone()).collect();
        // A mark would tell the readers of the series that somebody ended it.
        recorded.extend(self.outcome.silent.iter().cloned());
        let gone = self.state.recorded.difference(&recorded);
        let gone = gone.filter(|labels| !self.outcome.forgotten.contains(*labels));
        let marks = gone.map(|labels| (labels.clone(), Sample { at_ms, value: STALE }));
        self.step.samples.extend(marks);
        let samples = found.iter().map(|it| (it.labels.clone(), Sample { at_ms, value: it.value }));
        self.step.samples.extend(samples);
        self.step.next.recorded = Some(recorded);
        self.step.next.silent.clone_from(&self.outcome.silent);
    }

    /// How the rule itself does, and whether people must be told.
    fn health(&mut self, intervals: i64) {
        let before = self.state.health.unwrap_or(RuleHealth::Unknown);
        let held = !self.outcome.gone.is_empty();
        let health = match (&self.outcome.result, self.outcome.inputs) {
            (Err(_), _) => RuleHealth::Error,
            (Ok(_), _) if held => RuleHealth::NoData,
            (Ok(_), Some(Inputs::Gone)) => RuleHealth::NoData,
            // Nothing speaks for data that was missing before.
            (Ok(_), None | Some(Inputs::Unknown)) if before == RuleHealth::NoData => RuleHealth::NoData,
            (Ok(_), _) => RuleHealth::Ok,
        };
        self.step.next.health = Some(health);
        if matches!(health, RuleHealth::Ok | RuleHealth::Unknown) {
            if let Some(alert) = &self.state.unhealthy {
                let mut alert = alert.clone();
                alert.state = AlertState::Resolved;
                alert.resolved_at = Some(self.now());
                series::over(&alert, AlertState::Firing, self.at_ms, &mut self.step.samples);
                self.turn(alert.clone(), Some(AlertState::Firing));
                self.end(alert);
            }
            return;
        }
        let since_ms = self.state.unhealthy_since_ms.unwrap_or(self.at_ms);
        self.step.next.unhealthy_since_ms = Some(since_ms);
        let patience_ms = unhealthy::patience_ms(self.entry, intervals);
        if intervals > 0 && self.state.unhealthy.is_none() && self.at_ms - since_ms >= patience_ms {
            let error = self.step.next.error.as_deref();
            let alert = unhealthy::alert(self.entry, health, error, since_ms, self.at_ms);
            series::living(&alert, self.at_ms, &mut self.step.samples);
            self.turn(alert.clone(), None);
            self.store(alert);
        }
    }

    fn turn(&mut self, alert: Alert, from: Option<AlertState>) {
        self.step.transitions.push(Transition { alert, from });
    }

    fn store(&mut self, alert: Alert) {
        self.step.changed = true;
        self.step.upserts.push(alert);
    }

    fn end(&mut self, alert: Alert) {
        self.step.changed = true;
        self.step.ended.push(alert);
    }
}
