#![allow(clippy::unwrap_used)]
//! A simulated store: what is written is all that survives, and with `restarts` it is read again before every step.

use std::collections::BTreeMap;

use ops_contract::{Matcher, NotificationReason, NotificationStatus};

use super::*;

const FILE: &str = "
route:
  receiver: team
  group_by: [alertname]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
inhibit_rules:
  - source_matchers: [alertname=HostDown]
    target_matchers: [severity=warning]
    equal: [host]
time_intervals:
  - name: night
    time_intervals: [{times: [{start_time: '00:10', end_time: '00:20'}]}]
receivers:
  - name: team
    log_configs: [{}]
";

struct World {
    text: String,
    edges: Vec<(String, String)>,
    alerts: BTreeMap<String, Alert>,
    groups: BTreeMap<String, GroupRow>,
    members: BTreeMap<(String, String), MemberRow>,
    silences: Vec<Silence>,
    acked: BTreeMap<String, Timestamp>,
    dispatcher: Dispatcher,
    restarts: bool,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1_000_000)
}

fn alert(labels: &str, state: AlertState, from: i64, to: Option<i64>) -> Alert {
    let labels: BTreeMap<String, String> = labels
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let fingerprint = group::hash(&[&format!("{labels:?}")]);
    Alert {
        id: format!("{}@{from}", labels.values().cloned().collect::<Vec<_>>().join("-")),
        fingerprint,
        rule: "r".to_owned(),
        state,
        labels,
        annotations: BTreeMap::new(),
        generator_url: String::new(),
        value: 1.0,
        active_at: at(from),
        fired_at: Some(at(from)),
        keep_firing_since: None,
        no_data_since: None,
        resolved_at: to.map(at),
    }
}

fn fires(labels: &str, from: i64) -> Alert {
    alert(labels, AlertState::Firing, from, None)
}

fn ends(labels: &str, from: i64, to: i64) -> Alert {
    alert(labels, AlertState::Resolved, from, Some(to))
}

impl World {
    fn new(restarts: bool) -> Self {
        Self::with(FILE, &[], restarts)
    }

    fn with(text: &str, edges: &[(&str, &str)], restarts: bool) -> Self {
        let edges: Vec<(String, String)> =
            edges.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let dispatcher = Dispatcher::new(settings(text, &edges), Stored::default(), at(0)).0;
        Self {
            text: text.to_owned(),
            edges,
            alerts: BTreeMap::new(),
            groups: BTreeMap::new(),
            members: BTreeMap::new(),
            silences: Vec::new(),
            acked: BTreeMap::new(),
            dispatcher,
            restarts,
        }
    }

    fn store(&mut self, writes: &Writes) {
        for row in &writes.groups {
            self.groups.insert(row.id.clone(), row.clone());
        }
        for row in &writes.members {
            self.members.insert((row.group.clone(), row.alert.clone()), row.clone());
        }
        for key in &writes.gone_members {
            self.members.remove(key);
        }
        for id in &writes.gone_groups {
            self.groups.remove(id);
            assert!(!self.members.keys().any(|(group, _)| group == id), "members outlive their group");
        }
        assert!(self.members.keys().all(|(group, _)| self.groups.contains_key(group)));
    }

    fn restart(&mut self, now: i64) {
        let held: BTreeSet<&String> = self.members.keys().map(|(_, alert)| alert).collect();
        let alerts = self
            .alerts
            .values()
            .filter(|it| it.state == AlertState::Firing || held.contains(&it.id))
            .cloned()
            .collect();
        let recent = self.alerts.values().filter(|it| it.state == AlertState::Resolved).cloned().collect();
        let stored = Stored {
            alerts,
            recent,
            groups: self.groups.values().cloned().collect(),
            members: self.members.values().cloned().collect(),
            silences: self.silences.clone(),
            acked: self.acked.clone(),
        };
        let (dispatcher, writes) = Dispatcher::new(settings(&self.text, &self.edges), stored, at(now));
        assert!(writes.notifications.is_empty());
        self.store(&writes);
        self.dispatcher = dispatcher;
    }

    /// What is told at a moment: status, reason, and the alerts' labels with `+` or `-`.
    fn step(&mut self, now: i64, changed: &[Alert]) -> Vec<String> {
        if self.restarts {
            self.restart(now);
        }
        for alert in changed {
            self.alerts.insert(alert.id.clone(), alert.clone());
        }
        let writes = self.dispatcher.advance(changed, at(now));
        self.store(&writes);
        writes.notifications.iter().map(|(_, note)| describe(note)).collect()
    }

    /// All that is told until then, each as `second: text`, while nothing changes.
    fn until(&mut self, mut now: i64, end: i64) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(next) = self.dispatcher.next_due() {
            now = now.max((next.0 + 999_999).div_euclid(1_000_000));
            if now > end {
                break;
            }
            told.extend(self.step(now, &[]).into_iter().map(|it| format!("{now}: {it}")));
            now += 1;
        }
        told
    }

    fn silence(&mut self, label: &str, value: &str, from: i64, to: i64) {
        let silence = Silence {
            id: format!("s{from}"),
            matchers: vec![Matcher {
                name: label.to_owned(),
                value: value.to_owned(),
                is_regex: false,
                is_equal: true,
            }],
            starts_at: at(from),
            ends_at: at(to),
            updated_at: at(from),
            created_by: String::new(),
            comment: String::new(),
            annotations: BTreeMap::new(),
        };
        self.silences.push(silence.clone());
        self.dispatcher.put_silence(silence).unwrap();
    }
}

fn settings(text: &str, edges: &[(String, String)]) -> Settings {
    let loaded = Routing::load("f.yml", text, &|_| None).unwrap();
    Settings { routing: Arc::new(loaded.routing), edges: edges.to_vec() }
}

fn describe(note: &Notification) -> String {
    let alerts: Vec<String> = note
        .alerts
        .iter()
        .map(|it| {
            let sign = if it.status == NotificationStatus::Firing { '+' } else { '-' };
            let values: Vec<&str> = it.labels.values().map(String::as_str).collect();
            let folded = if it.folded.is_empty() { String::new() } else { format!(" {:?}", it.folded) };
            format!("{sign}{}{folded}", values.join("/"))
        })
        .collect();
    format!("{:?} {}", note.reason, alerts.join(" "))
}

fn both(test: impl Fn(World)) {
    both_with(FILE, &[], test);
}

fn both_with(text: &str, edges: &[(&str, &str)], test: impl Fn(World)) {
    for restarts in [false, true] {
        test(World::with(text, edges, restarts));
    }
}

#[test]
fn a_group_waits_ticks_and_repeats_as_the_route_says() {
    both(|mut world| {
        assert!(world.step(0, &[fires("alertname=A,n=1", 0)]).is_empty());
        assert!(world.step(10, &[fires("alertname=A,n=2", 10)]).is_empty());
        assert_eq!(world.until(10, 100), ["30: FirstNotification +A/1 +A/2"]);
        assert!(world.step(100, &[fires("alertname=A,n=3", 100)]).is_empty());
        assert!(world.step(110, &[ends("alertname=A,n=1", 0, 110)]).is_empty());
        assert_eq!(world.until(110, 1_000), ["330: NewAlerts +A/2 +A/3 -A/1"]);
        assert_eq!(world.until(1_000, 15_000), ["14730: Repeat +A/2 +A/3"]);
        let over = [ends("alertname=A,n=2", 10, 15_100), ends("alertname=A,n=3", 100, 15_100)];
        assert_eq!(world.step(15_100, &over), ["AllResolved -A/2 -A/3"]);
        assert_eq!(world.groups.len() + world.members.len(), 0);
        assert_eq!(world.dispatcher.alerts().count(), 0);
    });
}

#[test]
fn what_is_critical_waits_for_no_tick() {
    both(|mut world| {
        let a = "alertname=A,severity=critical,x=";
        assert_eq!(world.step(0, &[fires(&format!("{a}1"), 0)]), ["FirstNotification +A/critical/1"]);
        assert_eq!(world.step(2, &[fires(&format!("{a}2"), 2)]), ["NewAlerts +A/critical/2"]);
        assert_eq!(world.step(3, &[ends(&format!("{a}1"), 0, 3)]), ["SomeResolved -A/critical/1"]);
        assert_eq!(world.step(4, &[ends(&format!("{a}2"), 2, 4)]), ["AllResolved -A/critical/2"]);
        assert!(world.until(4, 100_000).is_empty());
    });
}

#[test]
fn what_resolved_before_it_was_told_is_still_told() {
    both(|mut world| {
        assert!(world.step(0, &[fires("alertname=A", 0)]).is_empty());
        assert!(world.step(10, &[ends("alertname=A", 0, 10)]).is_empty());
        assert_eq!(world.until(10, 100), ["30: FirstNotification -A"]);
    });
}

#[test]
fn a_silence_mutes_what_fires_and_never_an_end() {
    both(|mut world| {
        let (a, b) = ("alertname=A,severity=critical", "alertname=B,severity=critical");
        assert_eq!(world.step(0, &[fires(a, 0)]).len(), 1);
        world.silence("severity", "critical", 5, 100);
        assert!(world.step(10, &[fires(b, 10)]).is_empty());
        assert_eq!(world.dispatcher.muted().len(), 2);
        assert_eq!(world.step(20, &[ends(a, 0, 20)]), ["AllResolved -A/critical"]);
        // It fires on when the silence ends.
        assert_eq!(world.until(20, 1_000), ["100: FirstNotification +B/critical"]);
    });
}

#[test]
fn what_began_and_ended_in_silence_is_not_told() {
    both(|mut world| {
        world.silence("alertname", "A", 0, 100);
        assert!(world.step(10, &[fires("alertname=A,severity=critical", 10)]).is_empty());
        assert!(world.step(20, &[ends("alertname=A,severity=critical", 10, 20)]).is_empty());
        assert!(world.until(20, 1_000).is_empty());
        assert_eq!(world.groups.len(), 0);
    });
}

#[test]
fn an_inhibited_alert_is_told_when_its_source_ends() {
    both(|mut world| {
        let (host, disk) =
            ("alertname=HostDown,host=h,severity=critical", "alertname=Disk,host=h,severity=warning");
        // Both come at once: the order does not matter.
        assert_eq!(world.step(0, &[fires(disk, 0), fires(host, 0)]).len(), 1);
        assert!(world.until(0, 500).is_empty());
        assert_eq!(
            world.step(500, &[ends(host, 0, 500)]),
            ["AllResolved -HostDown/h/critical", "FirstNotification +Disk/h/warning"]
        );
    });
}

#[test]
fn consequences_are_folded_under_their_cause() {
    let mut world = World::with(FILE, &[("api", "postgres.main"), ("worker", "postgres.main")], false);
    let db = "alertname=DbDown,dependency=postgres.main,severity=critical";
    let (api, worker) = ("alertname=Down,service=api,severity=critical", "alertname=Down,service=worker");
    let told = world.step(0, &[fires(api, 0), fires(worker, 0), fires(db, 0)]);
    let expected = "FirstNotification +DbDown/postgres.main/critical [\"Down (api)\", \"Down (worker)\"]";
    assert_eq!(told, [expected]);
    // The cause ends, its consequences do so a little later; one stays: it is told then.
    assert_eq!(world.step(60, &[ends(db, 0, 60)]), ["AllResolved -DbDown/postgres.main/critical"]);
    assert!(world.step(70, &[ends(worker, 0, 70)]).is_empty());
    assert_eq!(world.until(70, 1_000), ["120: FirstNotification +Down/api/critical"]);
    // After a restart nobody knows of the cause any more: rather told than not.
    world.restart(200);
    assert!(world.until(200, 1_000).is_empty());
}

#[test]
fn what_flaps_is_told_once_and_its_end_when_it_lasts() {
    both(|mut world| {
        let a = "alertname=A,severity=critical";
        let mut told = Vec::new();
        for n in 0..10 {
            told.extend(world.step(n * 20, &[fires(a, n * 20)]));
            told.extend(world.step(n * 20 + 10, &[ends(a, n * 20, n * 20 + 10)]));
        }
        assert_eq!(told.len(), 7, "{told:?}");
        assert_eq!(world.until(190, 10_000), ["490: AllResolved -A/critical"]);
        assert_eq!(world.groups.len() + world.members.len(), 0);
    });
}

#[test]
fn a_route_is_silent_in_its_interval_and_speaks_after_it() {
    let text = FILE.replace(
        "  repeat_interval: 4h",
        "  repeat_interval: 4h\n  routes: [{matchers: [n=\"1\"], mute_time_intervals: [night]}]",
    );
    both_with(&text, &[], |mut world| {
        assert!(world.step(605, &[fires("alertname=A,n=1,severity=critical", 605)]).is_empty());
        assert_eq!(world.dispatcher.muted().values().next().unwrap().by(), Some(MutedBy::Interval));
        assert_eq!(world.until(605, 3_000), ["1200: FirstNotification +A/1/critical"]);
    });
}

#[test]
fn what_is_acknowledged_is_not_repeated_until_that_ends() {
    let mut world = World::new(false);
    assert_eq!(world.step(0, &[fires("alertname=A,severity=critical", 0)]).len(), 1);
    let id = world.groups.keys().next().unwrap().clone();
    world.dispatcher.acknowledge(&id, Some(at(20_000)));
    assert_eq!(world.until(0, 30_000), ["20000: Repeat +A/critical"]);
    // One that ends before the next repetition: nobody looks after it any more, so it is told then and not hours later.
    world.dispatcher.acknowledge(&id, Some(at(31_000)));
    assert_eq!(world.until(30_001, 46_000), ["31000: Repeat +A/critical", "45400: Repeat +A/critical"]);
}

#[test]
fn a_storm_is_told_in_pieces_and_nothing_is_left_out() {
    both(|mut world| {
        let storm: Vec<Alert> =
            (0..450).map(|n| fires(&format!("alertname=A,n={n},severity=critical"), 0)).collect();
        let mut told: usize = 0;
        for second in 0..5 {
            let changed = if second == 0 { storm.as_slice() } else { &[] };
            if world.restarts {
                world.restart(second);
            }
            storm.iter().for_each(|it| drop(world.alerts.insert(it.id.clone(), it.clone())));
            let writes = world.dispatcher.advance(changed, at(second));
            world.store(&writes);
            for (_, note) in &writes.notifications {
                assert!(note.alerts.len() <= content::MOST);
                told += note.alerts.len();
                assert_eq!(note.status, NotificationStatus::Firing);
                assert_ne!(note.reason, NotificationReason::Repeat);
            }
        }
        assert_eq!(told, 450);
    });
}

#[test]
fn with_another_file_alerts_move_and_who_was_told_hears_of_the_end() {
    let mut world = World::new(true);
    assert_eq!(world.step(0, &[fires("alertname=A,severity=critical", 0)]).len(), 1);
    world.text = FILE.replace("team", "others");
    assert_eq!(world.step(10, &[]), ["FirstNotification +A/critical"]);
    let told = world.step(20, &[ends("alertname=A,severity=critical", 0, 20)]);
    assert_eq!(told, ["AllResolved -A/critical", "AllResolved -A/critical"]);
    assert_eq!(world.groups.len(), 0);
}
