//! From alerts to notifications: which group an alert belongs to, whether it is told, and when.
//!
//! Memory of what the store holds, and no more: every change comes back as rows ([`Writes`]) that the caller stores in the
//! transaction in which the alerts themselves change. When that fails the dispatcher is thrown away and read again.
//!
//! Beyond Alertmanager: critical alerts and their ends wait for no group tick; what resolved before it was told is still told;
//! an end is told whatever mutes the alert by then; consequences are folded under their cause; what flaps is told once.

mod content;
mod flap;
mod group;
mod load;
mod muting;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ops_contract::{Alert, AlertState, Notification, Silence, Timestamp};

use crate::routing::{Routing, Silences};
use flap::Flaps;
use group::Group;
pub use group::{GroupRow, MemberRow, Told};
pub use load::Stored;
pub use muting::{Muted, MutedBy};

/// The label by which an alert waits for no group tick, and its value.
const URGENT: (&str, &str) = ("severity", "critical");

/// What must be stored so that what was decided counts.
#[derive(Debug, Default)]
pub struct Writes {
    /// Groups as they now stand.
    pub groups: Vec<GroupRow>,
    /// Groups that are over.
    pub gone_groups: Vec<String>,
    /// Members as they now stand.
    pub members: Vec<MemberRow>,
    /// Members that are no more: group and alert.
    pub gone_members: Vec<(String, String)>,
    /// What is to be told, with the id of its group.
    pub notifications: Vec<(String, Notification)>,
}

impl Writes {
    /// Whether there is nothing to be stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
            && self.gone_groups.is_empty()
            && self.members.is_empty()
            && self.gone_members.is_empty()
    }
}

/// What the decisions are made of beside the alerts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who is told of what.
    pub routing: Arc<Routing>,
    /// What depends on what: child and parent.
    pub edges: Vec<(String, String)>,
}

/// Groups and what was told of them.
#[derive(Debug)]
pub struct Dispatcher {
    settings: Settings,
    silences: Silences,
    /// Groups whose incident is acknowledged, and until when: they are not told again.
    acked: BTreeMap<String, Timestamp>,
    /// Firing alerts, and those that have ended and are not told as such.
    alerts: BTreeMap<String, Alert>,
    groups: BTreeMap<String, Group>,
    /// In which groups an alert is.
    places: BTreeMap<String, BTreeSet<String>>,
    flaps: Flaps,
    muted: BTreeMap<String, Muted>,
    /// The last moment at which something was decided: groups never tell two things at one time.
    last: Timestamp,
    /// Something that mutes has changed, or an alert.
    dirty: bool,
    /// When time may change what mutes.
    look_at: Option<Timestamp>,
}

impl Dispatcher {
    /// Takes in how alerts changed, and decides what is told now.
    pub fn advance(&mut self, changed: &[Alert], now: Timestamp) -> Writes {
        let now = Timestamp(now.0.max(self.last.0 + 1));
        self.last = now;
        let mut writes = Writes::default();
        for alert in changed {
            self.take(alert, now, &mut writes);
        }
        if self.dirty || self.due(now) {
            self.mute(now);
            self.dirty = false;
            self.decide(now, &mut writes);
            self.look_at = self.next_look(now);
        }
        writes
    }

    /// When something is to be decided though nothing changes.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.groups.values().filter_map(|group| group.due_at).chain(self.look_at).min()
    }

    /// When what mutes may be another: silences begin and end, time intervals do so with a minute.
    fn next_look(&self, now: Timestamp) -> Option<Timestamp> {
        if self.alerts.is_empty() {
            return None;
        }
        let minute = Timestamp((now.0.div_euclid(60_000_000) + 1) * 60_000_000);
        let intervals = !self.settings.routing.intervals.is_empty();
        let folds = self.muted.values().filter_map(|it| it.fold_ends_at);
        self.silences.next_change(now).into_iter().chain(intervals.then_some(minute)).chain(folds).min()
    }

    /// A silence is new, or another than before.
    ///
    /// # Errors
    /// A matcher that is none.
    pub fn put_silence(&mut self, silence: Silence) -> Result<(), crate::routing::MatcherError> {
        self.dirty = true;
        self.silences.put(silence)
    }

    /// All silences that are not forgotten.
    #[must_use]
    pub fn silences(&self) -> &Silences {
        &self.silences
    }

    /// The incident of a group is acknowledged until then, or (`None`) no longer.
    pub fn acknowledge(&mut self, group: &str, until: Option<Timestamp>) {
        self.dirty = true;
        match until {
            Some(until) => self.acked.insert(group.to_owned(), until),
            None => self.acked.remove(group),
        };
    }

    /// What mutes each alert that is muted, by its id.
    #[must_use]
    pub fn muted(&self) -> &BTreeMap<String, Muted> {
        &self.muted
    }

    /// Firing alerts, and those whose end is not told yet.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.values()
    }

    /// Its groups: row and alerts.
    pub fn groups(&self) -> impl Iterator<Item = (&GroupRow, Vec<&Alert>)> {
        self.groups
            .values()
            .map(|group| (&group.row, group.members.keys().filter_map(|id| self.alerts.get(id)).collect()))
    }

    /// Who is told of what.
    #[must_use]
    pub fn routing(&self) -> &Arc<Routing> {
        &self.settings.routing
    }

    fn due(&self, now: Timestamp) -> bool {
        let mut groups = self.groups.values().filter_map(|group| group.due_at);
        self.look_at.is_some_and(|at| at <= now) || groups.any(|at| at <= now)
    }

    fn take(&mut self, alert: &Alert, now: Timestamp, writes: &mut Writes) {
        match alert.state {
            AlertState::Pending => {}
            AlertState::Firing => {
                let before = self.alerts.insert(alert.id.clone(), alert.clone());
                if before.is_none() {
                    self.dirty = true;
                    self.flaps.fired(alert);
                    self.join(alert, now, writes);
                }
            }
            AlertState::Resolved => {
                if let Some(known) = self.alerts.get_mut(&alert.id) {
                    self.dirty |= known.state != AlertState::Resolved;
                    *known = alert.clone();
                }
            }
        }
    }

    /// Puts a new alert into the groups of its routes.
    fn join(&mut self, alert: &Alert, now: Timestamp, writes: &mut Writes) {
        let routing = self.settings.routing.clone();
        for routed in routing.routes(&alert.labels) {
            let id = group::id_of(&routed);
            let group = self.groups.entry(id.clone()).or_insert_with(|| {
                let group = Group::new(id.clone(), &routed, now);
                writes.groups.push(group.row.clone());
                group
            });
            if group.members.contains_key(&alert.id) {
                continue;
            }
            let told = self.flaps.goes_on(alert, group, &self.alerts);
            if let Some(before) = &told.replaces {
                group.members.remove(before);
                writes.gone_members.push((id.clone(), before.clone()));
                if let Some(places) = self.places.get_mut(before) {
                    places.remove(&id);
                    if places.is_empty() {
                        self.places.remove(before);
                        self.alerts.remove(before);
                    }
                }
            }
            let row = MemberRow {
                group: id.clone(),
                alert: alert.id.clone(),
                told: told.told,
                told_as: told.told_as,
                hold_until: None,
            };
            writes.members.push(row.clone());
            group.members.insert(alert.id.clone(), row);
            self.places.entry(alert.id.clone()).or_default().insert(id);
        }
    }

    fn decide(&mut self, now: Timestamp, writes: &mut Writes) {
        let mut groups = std::mem::take(&mut self.groups);
        for group in groups.values_mut() {
            self.consider(group, now, writes);
        }
        groups.retain(|id, group| {
            let living = !group.members.is_empty();
            if !living {
                writes.groups.retain(|row| row.id != *id);
                self.acked.remove(id);
                writes.gone_groups.push(id.clone());
            }
            living
        });
        self.groups = groups;
        self.flaps.forget(now);
    }

    fn leave(&mut self, group: &str, alert: &str) {
        if let Some(places) = self.places.get_mut(alert) {
            places.remove(group);
            if places.is_empty() {
                self.places.remove(alert);
                self.alerts.remove(alert);
                self.muted.remove(alert);
            }
        }
    }
}

fn is_urgent(alert: &Alert) -> bool {
    alert.labels.get(URGENT.0).is_some_and(|it| it == URGENT.1)
}
