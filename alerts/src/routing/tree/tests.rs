#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use crate::routing::{GroupBy, Routing};

fn load(text: &str) -> Routing {
    Routing::load("test.yml", text, &|_| None).unwrap_or_else(|faults| panic!("{faults:#?}")).routing
}

fn labels(text: &str) -> BTreeMap<String, String> {
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect()
}

fn receivers(routing: &Routing, text: &str) -> String {
    let labels = labels(text);
    routing.routes(&labels).iter().map(|routed| routed.receiver).collect::<Vec<_>>().join(",")
}

const FILE: &str = r"
route:
  receiver: root
  group_by: [alertname]
  group_wait: 1s
  routes:
  - matchers: [team=web]
    receiver: web
    group_by: ['...']
    mute_time_intervals: [night]
    routes:
    - matchers: [severity=page]
      receiver: web-page
      group_wait: 0s
      repeat_interval: 1h
    - matchers: [severity=ticket]
      group_by: []
  - matchers: [team=db]
    receiver: db
    continue: true
    labels: {owner: data, tier: '1'}
    routes:
    - match: {severity: page}
      labels: {tier: '2'}
  - match_re: {severity: page|critical}
    receiver: page
receivers: [{name: root}, {name: web}, {name: web-page}, {name: db}, {name: page}]
time_intervals: [{name: night, time_intervals: [{times: [{start_time: 00:00, end_time: 06:00}]}]}]
";

#[test]
fn the_first_route_that_matches_wins_unless_it_continues() {
    let routing = load(FILE);
    for (alert, expected) in [
        ("alertname=A", "root"),
        ("team=web", "web"),
        ("team=web,severity=page", "web-page"),
        ("team=web,severity=ticket", "web"),
        ("team=db", "db"),
        ("team=db,severity=page", "db,page"),
        ("team=db,severity=critical", "db,page"),
        ("severity=pages", "root"),
    ] {
        assert_eq!(receivers(&routing, alert), expected, "{alert}");
    }
}

#[test]
fn routes_inherit_what_they_do_not_say_and_intervals_are_not_inherited() {
    let routing = load(FILE);
    let alert = labels("alertname=A,team=web,severity=page");
    let routed = routing.routes(&alert).remove(0);
    assert_eq!(routed.route.0, 2);
    assert_eq!((routed.group_wait.as_secs(), routed.group_interval.as_secs()), (0, 300));
    assert_eq!(routed.repeat_interval.as_secs(), 3_600);
    assert_eq!(routed.group_labels, alert);
    assert!(routed.mute.is_empty());
    let alert = labels("alertname=A,team=web,severity=ticket");
    let routed = routing.routes(&alert).remove(0);
    assert_eq!(routed.group_labels, BTreeMap::new());
    assert_eq!((routed.group_wait.as_secs(), routed.repeat_interval.as_secs()), (1, 4 * 3_600));
    let alert = labels("team=web");
    assert_eq!(routing.routes(&alert).remove(0).mute, ["night"]);
    let alert = labels("team=db,severity=page");
    assert_eq!(*routing.routes(&alert).remove(0).labels, labels("owner=data,tier=2"));
    let root = &routing.tree.as_slice()[0];
    assert_eq!((root.group_wait.as_secs(), root.group_interval.as_secs()), (1, 300));
    assert_eq!(root.group_by, GroupBy::Labels(["alertname".to_owned()].into()));
}

#[test]
fn group_keys_are_alertmanagers() {
    let routing = load(FILE);
    for (alert, expected) in [
        ("alertname=X,job=y", r#"{}:{alertname="X"}"#),
        ("job=y", "{}:{}"),
        (
            "alertname=X,team=web,severity=page",
            r#"{}/{team="web"}/{severity="page"}:{alertname="X", severity="page", team="web"}"#,
        ),
        ("alertname=a\"b,severity=critical", r#"{}/{severity=~"page|critical"}:{alertname="a\"b"}"#),
    ] {
        let labels = labels(alert);
        assert_eq!(routing.routes(&labels)[0].group_key, expected, "{alert}");
    }
}

#[test]
fn ids_are_places_in_the_file_and_without_a_file_all_goes_to_one_receiver() {
    let routing = load(FILE);
    let keys: Vec<_> = routing.tree.as_slice().iter().map(|it| (it.id.0, it.receiver.as_str())).collect();
    let expected = [(0, "root"), (1, "web"), (2, "web-page"), (3, "web"), (4, "db"), (5, "db"), (6, "page")];
    assert_eq!(keys, expected);
    for route in routing.tree.as_slice() {
        assert_eq!(routing.tree.route(route.id).unwrap().key, route.key);
    }
    let routing = Routing::default_for("log");
    let alert = labels("alertname=X");
    let routed = routing.routes(&alert).remove(0);
    assert_eq!((routed.receiver, routed.group_key.as_str()), ("log", "{}:{}"));
    assert_eq!(routing.receiver("log").unwrap().name, "log");
    // What is shown of it is a file again.
    load(&routing.public.to_string());
}

#[test]
fn a_route_is_silent_in_its_mute_intervals_and_outside_its_active_ones() {
    let interval =
        |name: &str, day: &str| format!("{{name: {name}, time_intervals: [{{weekdays: [{day}]}}]}}");
    let routing = load(&format!(
        "route: {{receiver: r, routes: [{{mute_time_intervals: [mon, tue], active_time_intervals: [tue, wed]}}]}}\n\
         receivers: [{{name: r}}]\ntime_intervals: [{}, {}, {}]\n",
        interval("mon", "monday"),
        interval("tue", "tuesday"),
        interval("wed", "wednesday"),
    ));
    let labels = BTreeMap::new();
    let routed = routing.routes(&labels).remove(0);
    // 1970-01-05 was a Monday.
    for (day, expected) in
        [(4, vec!["mon", "tue", "wed"]), (5, vec!["tue"]), (6, vec![]), (7, vec!["tue", "wed"])]
    {
        let at = ops_contract::Timestamp(day * 86_400_000_000);
        assert_eq!(routing.muting(&routed, at), expected, "day {day}");
    }
}
