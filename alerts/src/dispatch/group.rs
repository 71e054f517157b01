//! A group: the alerts of one route with the same values of its labels, what was told of them, and when it is told next.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::{Alert, AlertState, NotificationReason, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Dispatcher, Writes, content, flap, is_urgent};
use crate::routing::Routed;

/// What was told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Nothing.
    No,
    /// That it fires.
    Firing,
}

/// A group as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRow {
    /// Its identity: over receiver and key.
    pub id: String,
    /// Who is told.
    pub receiver: String,
    /// As Alertmanager writes it: `{}/{severity="page"}:{alertname="X"}`.
    pub key: String,
    /// The labels by which it is grouped.
    pub labels: BTreeMap<String, String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last told.
    pub told_at: Option<Timestamp>,
}

/// An alert in a group, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// The group.
    pub group: String,
    /// The alert.
    pub alert: String,
    /// What was told of it.
    pub told: Told,
    /// The id under which it is told: of an alert that flaps the first one's.
    pub told_as: String,
    /// Its end is told then, unless it fires again.
    pub hold_until: Option<Timestamp>,
}

/// A group with the times of its route.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) row: GroupRow,
    pub(super) times: Times,
    pub(super) members: BTreeMap<String, MemberRow>,
    pub(super) due_at: Option<Timestamp>,
    /// More was to be told than one notification holds.
    pub(super) more: bool,
}

/// What the route says of time.
#[derive(Clone, Debug)]
pub(super) struct Times {
    pub(super) wait: Duration,
    pub(super) interval: Duration,
    pub(super) repeat: Duration,
    pub(super) mute: Vec<String>,
    pub(super) active: Vec<String>,
}

/// Tells groups apart: two routes with equal matchers may have one key and two receivers.
pub(super) fn id_of(routed: &Routed<'_>) -> String {
    hash(&[routed.receiver, &routed.group_key])
}

/// 32 hexadecimal digits over texts.
pub(super) fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0xff]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

impl Times {
    pub(super) fn of(routed: &Routed<'_>) -> Self {
        Self {
            wait: routed.group_wait,
            interval: routed.group_interval,
            repeat: routed.repeat_interval,
            mute: routed.mute.to_vec(),
            active: routed.active.to_vec(),
        }
    }
}

impl Group {
    pub(super) fn new(id: String, routed: &Routed<'_>, now: Timestamp) -> Self {
        Self {
            row: GroupRow {
                id,
                receiver: routed.receiver.to_owned(),
                key: routed.group_key.clone(),
                labels: routed.group_labels.clone(),
                created_at: now,
                told_at: None,
            },
            times: Times::of(routed),
            members: BTreeMap::new(),
            due_at: None,
            more: false,
        }
    }
}

/// The members of a group by what there is to tell.
#[derive(Default)]
pub(super) struct Sorted<'a> {
    /// Fire and were not told.
    new: Vec<&'a Alert>,
    /// Were told as firing and have ended.
    ended: Vec<&'a Alert>,
    /// Have ended before anybody was told.
    missed: Vec<&'a Alert>,
    /// Fire and were told.
    known: Vec<&'a Alert>,
    /// Of `known` how many nothing mutes.
    heard: usize,
    /// Ended while they were muted, or their alert is gone: to be forgotten.
    over: Vec<String>,
    /// The next time at which an end is no longer held back.
    held: Option<Timestamp>,
}

/// When a group speaks.
struct Plan {
    tick: Timestamp,
    repeat: Option<Timestamp>,
}

impl<'a> Sorted<'a> {
    /// All that somebody must be told.
    fn news(&self) -> Vec<&'a Alert> {
        [&self.new, &self.ended, &self.missed].into_iter().flatten().copied().collect()
    }
}

impl Dispatcher {
    /// Decides what a group tells now, and when it is looked at next.
    pub(super) fn consider(&mut self, group: &mut Group, now: Timestamp, writes: &mut Writes) {
        self.hold_back(group, now, writes);
        let sorted = self.sort(group, now);
        let news = sorted.news();
        let plan = self.times(group, &sorted);
        let full = !news.is_empty() && plan.tick <= now;
        let again = plan.repeat.is_some_and(|at| at <= now);
        if full || again || news.iter().any(|alert| is_urgent(alert)) {
            let reason = reason(group, &sorted, again && news.is_empty());
            // News first: what is cut is told already, or told next.
            let mut tell = news.clone();
            let others = if (full && !group.more) || again { sorted.known.as_slice() } else { &[] };
            tell.extend(others.iter().copied());
            let all = tell.len();
            tell.truncate(content::MOST);
            group.more = news.len() > tell.len();
            let truncated = (all - tell.len()) as u64;
            let note = content::notification(self, group, &tell, truncated, reason, now);
            let told: Vec<(String, bool)> =
                tell.iter().map(|it| (it.id.clone(), it.state == AlertState::Resolved)).collect();
            writes.notifications.push((group.row.id.clone(), note));
            self.mark(group, &told, writes);
            group.row.told_at = Some(now);
            writes.groups.retain(|row| row.id != group.row.id);
            writes.groups.push(group.row.clone());
        }
        for id in self.sort(group, now).over {
            group.members.remove(&id);
            writes.gone_members.push((group.row.id.clone(), id.clone()));
            self.leave(&group.row.id, &id);
        }
        let sorted = self.sort(group, now);
        let plan = self.times(group, &sorted);
        let tick = (!sorted.news().is_empty()).then_some(plan.tick);
        group.due_at = tick.into_iter().chain(plan.repeat).chain(sorted.held).min();
    }

    /// When news are told with the whole group, and when what is known is told again.
    fn times(&self, group: &Group, sorted: &Sorted<'_>) -> Plan {
        let tick = match group.row.told_at {
            None => group.row.created_at + group.times.wait,
            Some(at) if group.more => at,
            Some(at) => at + group.times.interval,
        };
        // What is acknowledged is not told again until that ends, and then at once: nobody looks after it any more.
        let acked = self.acked.get(&group.row.id).copied();
        let repeat = group.row.told_at.filter(|_| sorted.heard > 0).map(|at| match acked {
            Some(until) if until > at => until,
            _ => at + group.times.repeat,
        });
        Plan { tick, repeat }
    }

    /// What was told is noted; what has ended leaves.
    fn mark(&mut self, group: &mut Group, told: &[(String, bool)], writes: &mut Writes) {
        for (id, ended) in told {
            if *ended {
                group.members.remove(id);
                writes.members.retain(|row| row.group != group.row.id || row.alert != *id);
                writes.gone_members.push((group.row.id.clone(), id.clone()));
                self.leave(&group.row.id, id);
            } else if let Some(member) = group.members.get_mut(id)
                && member.told == Told::No
            {
                member.told = Told::Firing;
                writes.members.push(member.clone());
            }
        }
    }

    /// The end of what flaps is told later.
    fn hold_back(&self, group: &mut Group, now: Timestamp, writes: &mut Writes) {
        for member in group.members.values_mut() {
            let Some(alert) = self.alerts.get(&member.alert) else { continue };
            let ended = alert.state == AlertState::Resolved && member.told == Told::Firing;
            if ended && member.hold_until.is_none() && self.flaps.is_flapping(alert) {
                member.hold_until = Some(alert.resolved_at.unwrap_or(now) + flap::CALM);
                writes.members.push(member.clone());
            }
        }
    }

    fn sort(&self, group: &Group, now: Timestamp) -> Sorted<'_> {
        let silent = self.is_silent(group, now);
        let mut sorted = Sorted::default();
        for member in group.members.values() {
            let Some(alert) = self.alerts.get(&member.alert) else {
                sorted.over.push(member.alert.clone());
                continue;
            };
            let hidden = silent || self.muted.get(&alert.id).is_some_and(super::Muted::everywhere);
            match (alert.state == AlertState::Resolved, member.told) {
                (false, Told::No) if !hidden => sorted.new.push(alert),
                (false, Told::No) => {}
                (false, Told::Firing) => {
                    sorted.heard += usize::from(!hidden);
                    sorted.known.push(alert);
                }
                (true, Told::Firing) => match member.hold_until.filter(|at| *at > now) {
                    Some(at) => sorted.held = Some(sorted.held.map_or(at, |held| held.min(at))),
                    None => sorted.ended.push(alert),
                },
                (true, Told::No) if !hidden => sorted.missed.push(alert),
                (true, Told::No) => sorted.over.push(alert.id.clone()),
            }
        }
        sorted
    }

    fn is_silent(&self, group: &Group, now: Timestamp) -> bool {
        let within = |name: &String| {
            self.settings.routing.intervals.get(name).is_some_and(|interval| interval.contains(now))
        };
        let times = &group.times;
        times.mute.iter().any(within) || (!times.active.is_empty() && !times.active.iter().any(within))
    }
}

fn reason(group: &Group, sorted: &Sorted<'_>, again: bool) -> NotificationReason {
    if again {
        NotificationReason::Repeat
    } else if group.row.told_at.is_none() {
        NotificationReason::FirstNotification
    } else if !sorted.new.is_empty() {
        NotificationReason::NewAlerts
    } else if sorted.known.is_empty() {
        NotificationReason::AllResolved
    } else {
        NotificationReason::SomeResolved
    }
}
