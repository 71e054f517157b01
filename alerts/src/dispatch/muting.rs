//! What keeps an alert from being told: silences, inhibition, time intervals of its route, and a cause that says enough.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::{Alert, AlertState, Timestamp};

use super::Dispatcher;
use crate::routing::{Dependencies, Fold, Inhibitor, LivingAlert, fold};

/// Labels in which an alert says what it is about, best first.
const ABOUT: &[&str] =
    &["dependency", "service", "replica", "postgres", "valkey", "node", "agent", "host", "instance", "job"];

/// How long a consequence stays folded after its cause has ended.
const RECOVERY: Duration = Duration::from_mins(1);

/// Why an alert is not told now. Empty lists: it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Muted {
    /// Ids of the silences that match it.
    pub silences: Vec<String>,
    /// The alert that inhibits it.
    pub inhibited_by: Option<String>,
    /// The alert of which it is a consequence.
    pub folded_under: Option<String>,
    /// Its cause has ended: it stays folded until then, because consequences end a little later.
    pub fold_ends_at: Option<Timestamp>,
    /// Time intervals of its routes; empty when one route at least speaks.
    pub intervals: Vec<String>,
}

/// What mutes an alert, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MutedBy {
    /// A silence.
    Silence,
    /// Another alert, by the file.
    Inhibition,
    /// Its cause, by the graph.
    Fold,
    /// The time.
    Interval,
}

impl Muted {
    /// What mutes it first.
    #[must_use]
    pub fn by(&self) -> Option<MutedBy> {
        if !self.silences.is_empty() {
            Some(MutedBy::Silence)
        } else if self.inhibited_by.is_some() {
            Some(MutedBy::Inhibition)
        } else if self.folded_under.is_some() {
            Some(MutedBy::Fold)
        } else {
            (!self.intervals.is_empty()).then_some(MutedBy::Interval)
        }
    }

    /// Whether anything but its routes' intervals mutes it.
    pub(super) fn everywhere(&self) -> bool {
        !self.silences.is_empty() || self.inhibited_by.is_some() || self.folded_under.is_some()
    }
}

impl Dispatcher {
    /// Judges all living alerts at once: nothing depends on the order in which they came.
    pub(super) fn mute(&mut self, now: Timestamp) {
        let all: Vec<&Alert> = self.alerts.values().collect();
        let living: Vec<LivingAlert<'_>> = all
            .iter()
            .map(|alert| LivingAlert {
                id: &alert.id,
                labels: &alert.labels,
                firing: alert.state == AlertState::Firing,
                active_at: alert.active_at,
            })
            .collect();
        let routing = &self.settings.routing;
        let inhibited = Inhibitor::new(&routing.inhibit_rules).judge(&living);
        let edges: Vec<(&str, &str)> =
            self.settings.edges.iter().map(|(child, parent)| (child.as_str(), parent.as_str())).collect();
        let folds = match edges.is_empty() {
            true => vec![Fold::Root; living.len()],
            false => fold(&living, &Dependencies::new(&edges), ABOUT),
        };
        let name = |at: usize| all.get(at).map(|alert| alert.id.clone());
        let has_intervals = !routing.intervals.is_empty();
        let mut muted = BTreeMap::new();
        for ((alert, inhibited), fold) in all.iter().zip(&inhibited).zip(&folds) {
            let before = self.muted.get(&alert.id);
            if let (AlertState::Resolved, Some(before)) = (alert.state, before) {
                // What ended in silence was not missed, even if the silence ended with it.
                muted.insert(alert.id.clone(), before.clone());
                continue;
            }
            let mut it = Muted {
                silences: self.silences.muting(&alert.labels, now).into_iter().map(str::to_owned).collect(),
                inhibited_by: inhibited.and_then(|it| name(it.by)),
                folded_under: match fold {
                    Fold::Under(by) => name(*by),
                    Fold::Root => None,
                },
                fold_ends_at: None,
                intervals: if has_intervals { self.silent_routes(alert, now) } else { Vec::new() },
            };
            if let (None, Some(before)) = (&it.folded_under, before) {
                let ends = before.fold_ends_at.unwrap_or(now + RECOVERY);
                if before.folded_under.is_some() && now < ends {
                    it.folded_under.clone_from(&before.folded_under);
                    it.fold_ends_at = Some(ends);
                }
            }
            if it != Muted::default() {
                muted.insert(alert.id.clone(), it);
            }
        }
        self.muted = muted;
    }

    /// The intervals that mute all routes of an alert.
    fn silent_routes(&self, alert: &Alert, now: Timestamp) -> Vec<String> {
        let routing = &self.settings.routing;
        let mut names = Vec::new();
        for routed in routing.routes(&alert.labels) {
            let muting = routing.muting(&routed, now);
            if muting.is_empty() {
                return Vec::new();
            }
            names.extend(muting.into_iter().map(str::to_owned));
        }
        names
    }
}
