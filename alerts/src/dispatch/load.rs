//! The dispatcher as the store knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ops_contract::{Alert, AlertState, Silence, Timestamp};

use super::flap::Flaps;
use super::group::{Group, GroupRow, MemberRow, Times, Told, id_of};
use super::{Dispatcher, Settings, Writes};
use crate::routing::Silences;

/// All that is stored of what is told.
#[derive(Debug, Default)]
pub struct Stored {
    /// Alerts that fire, and those that a group still holds.
    pub alerts: Vec<Alert>,
    /// Alerts that ended a short while ago, for what flaps.
    pub recent: Vec<Alert>,
    /// Groups.
    pub groups: Vec<GroupRow>,
    /// Their members.
    pub members: Vec<MemberRow>,
    /// Silences that are not over.
    pub silences: Vec<Silence>,
    /// Groups whose incident is acknowledged, and until when.
    pub acked: BTreeMap<String, Timestamp>,
}

impl Dispatcher {
    /// Takes up what is stored. The rows that come back bring the store to what the routes say now: alerts that no group
    /// holds, because the file was another, are put where they belong.
    #[must_use]
    pub fn new(settings: Settings, stored: Stored, now: Timestamp) -> (Self, Writes) {
        let (silences, _) = Silences::new(stored.silences);
        let mut this = Self {
            settings,
            silences,
            acked: stored.acked,
            alerts: BTreeMap::new(),
            groups: BTreeMap::new(),
            places: BTreeMap::new(),
            flaps: Flaps::default(),
            muted: BTreeMap::new(),
            last: stored.groups.iter().filter_map(|group| group.told_at).max().unwrap_or(Timestamp(i64::MIN)),
            dirty: true,
            look_at: None,
        };
        let mut writes = Writes::default();
        for alert in stored.recent.iter().chain(&stored.alerts) {
            this.flaps.fired(alert);
        }
        this.alerts = stored.alerts.into_iter().map(|alert| (alert.id.clone(), alert)).collect();
        this.alerts.retain(|_, alert| alert.state != AlertState::Pending);
        this.take_groups(stored.groups, stored.members, &mut writes);
        let homeless: Vec<Alert> =
            this.alerts.values().filter(|alert| alert.state == AlertState::Firing).cloned().collect();
        for alert in &homeless {
            this.join(alert, now, &mut writes);
        }
        let places = &this.places;
        this.alerts.retain(|id, _| places.contains_key(id));
        (this, writes)
    }

    fn take_groups(&mut self, groups: Vec<GroupRow>, members: Vec<MemberRow>, writes: &mut Writes) {
        let mut by_group: BTreeMap<String, Vec<MemberRow>> = BTreeMap::new();
        for member in members {
            by_group.entry(member.group.clone()).or_default().push(member);
        }
        let routing = self.settings.routing.clone();
        for row in groups {
            let members = by_group.remove(&row.id).unwrap_or_default();
            let alerts = members.iter().filter_map(|member| self.alerts.get(&member.alert));
            let times = alerts
                .flat_map(|alert| routing.routes(&alert.labels))
                .find(|routed| id_of(routed) == row.id)
                .map(|routed| Times::of(&routed));
            let is_of_a_route = times.is_some();
            let mut group = Group {
                times: times.unwrap_or_else(Times::of_no_route),
                members: BTreeMap::new(),
                due_at: Some(Timestamp(0)),
                more: false,
                row,
            };
            for member in members {
                // Of a group that the routes no longer have only the ends are told.
                if !self.alerts.contains_key(&member.alert) || (!is_of_a_route && member.told == Told::No) {
                    writes.gone_members.push((group.row.id.clone(), member.alert));
                    continue;
                }
                let places: &mut BTreeSet<String> = self.places.entry(member.alert.clone()).or_default();
                places.insert(group.row.id.clone());
                group.members.insert(member.alert.clone(), member);
            }
            if group.members.is_empty() {
                writes.gone_groups.push(group.row.id);
            } else {
                self.groups.insert(group.row.id.clone(), group);
            }
        }
        for member in by_group.into_values().flatten() {
            writes.gone_members.push((member.group, member.alert));
        }
    }
}

impl Times {
    fn of_no_route() -> Self {
        Self {
            wait: Duration::ZERO,
            interval: Duration::ZERO,
            repeat: Duration::from_hours(100 * 365 * 24),
            mute: Vec::new(),
            active: Vec::new(),
        }
    }
}
