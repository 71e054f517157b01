//! Flap damping: what fires again and again is told once, and its end when it has stayed away for a while.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use ops_contract::{Alert, AlertState, Timestamp};

use super::group::{Group, Told};

/// So often within [`WINDOW`] an alert fires before it flaps.
const TIMES: usize = 4;
const WINDOW: Duration = Duration::from_mins(10);
/// An end that flaps is told once it has lasted this long.
pub(super) const CALM: Duration = Duration::from_mins(5);

/// When the alerts of a rule and label set fired, newest last.
#[derive(Debug, Default)]
pub(super) struct Flaps(BTreeMap<(String, String), VecDeque<Timestamp>>);

/// How a new alert begins in a group.
pub(super) struct Beginning {
    pub(super) told: Told,
    pub(super) told_as: String,
    /// The earlier alert of the same labels whose end was held back.
    pub(super) replaces: Option<String>,
}

impl Flaps {
    pub(super) fn fired(&mut self, alert: &Alert) {
        let at = alert.fired_at.unwrap_or(alert.active_at);
        let times = self.0.entry(key(alert)).or_default();
        if !times.contains(&at) {
            times.push_back(at);
            if times.len() > TIMES * 2 {
                times.pop_front();
            }
        }
    }

    /// Whether the alert's last firings lie so close together that it flaps.
    pub(super) fn is_flapping(&self, alert: &Alert) -> bool {
        let Some(times) = self.0.get(&key(alert)) else { return false };
        let last = times.back().copied().unwrap_or_default();
        times.iter().filter(|at| last.since(**at) <= WINDOW).count() >= TIMES
    }

    /// How often it fired lately.
    pub(super) fn times(&self, alert: &Alert) -> usize {
        self.0.get(&key(alert)).map_or(0, VecDeque::len)
    }

    /// A new alert goes on as the one before it where the end of that one was held back.
    pub(super) fn goes_on(
        &self,
        alert: &Alert,
        group: &Group,
        alerts: &BTreeMap<String, Alert>,
    ) -> Beginning {
        let held = group.members.values().find(|member| {
            member.hold_until.is_some()
                && alerts
                    .get(&member.alert)
                    .is_some_and(|before| before.state == AlertState::Resolved && key(before) == key(alert))
        });
        match held {
            Some(before) => Beginning {
                told: before.told,
                told_as: before.told_as.clone(),
                replaces: Some(before.alert.clone()),
            },
            None => Beginning { told: Told::No, told_as: alert.id.clone(), replaces: None },
        }
    }

    /// Forgets what lies far back.
    pub(super) fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, times| times.back().is_some_and(|at| now.since(*at) <= WINDOW * 2));
    }
}

fn key(alert: &Alert) -> (String, String) {
    (alert.rule.clone(), alert.fingerprint.clone())
}
