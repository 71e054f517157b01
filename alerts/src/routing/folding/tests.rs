#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use ops_contract::Timestamp;

use super::*;

const LABELS: &[&str] = &["service", "postgres", "node", "instance", "dependency"];

fn labels(text: &str) -> BTreeMap<String, String> {
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect()
}

/// Alerts are their labels and the second at which they became active; `!`: it does not fire.
fn folds(edges: &[(&str, &str)], alerts: &[(&str, i64)]) -> Vec<Option<usize>> {
    let sets: Vec<_> = alerts.iter().map(|(text, _)| labels(text.trim_start_matches('!'))).collect();
    let living: Vec<LivingAlert<'_>> = alerts
        .iter()
        .zip(&sets)
        .map(|((text, at), labels)| LivingAlert {
            id: text,
            labels,
            firing: !text.starts_with('!'),
            active_at: Timestamp(at * 1_000_000),
        })
        .collect();
    let folds = fold(&living, &Dependencies::new(edges), LABELS);
    folds.into_iter().map(|fold| if let Fold::Under(at) = fold { Some(at) } else { None }).collect()
}

const EDGES: &[(&str, &str)] = &[
    ("web", "api"),
    ("api", "postgres-main"),
    ("api", "valkey"),
    ("worker", "valkey"),
    ("postgres-main", "host-1"),
];

#[test]
fn what_depends_on_something_broken_is_folded_under_the_nearest_of_it() {
    let alerts = [
        ("service=web,severity=critical", 30),
        ("service=api,severity=critical", 20),
        ("postgres=postgres-main,severity=critical", 10),
        ("service=worker,severity=critical", 10),
        ("node=host-1,severity=warning", 0),
    ];
    // The host's alert is no cause: it is a warning.
    assert_eq!(folds(EDGES, &alerts), [Some(1), Some(2), None, None, None]);
    let alerts = [
        ("service=web,severity=warning", 30),
        ("node=host-1,severity=critical", 0),
        ("service=worker,severity=critical", 10),
        ("service=other,severity=critical", 10),
    ];
    assert_eq!(folds(EDGES, &alerts), [Some(1), None, None, None]);
}

#[test]
fn a_cause_may_be_noticed_a_minute_later_and_not_more() {
    let alerts = |at| [("service=api", 0), ("instance=valkey/0,severity=critical", at)];
    assert_eq!(folds(EDGES, &alerts(60)), [Some(1), None]);
    assert_eq!(folds(EDGES, &alerts(61)), [None, None]);
    assert_eq!(folds(EDGES, &alerts(-1_000_000)), [Some(1), None]);
    assert_eq!(folds(EDGES, &[("service=api", 0), ("!service=valkey,severity=critical", 0)]), [None, None]);
    assert_eq!(folds(EDGES, &[("!service=api", 0), ("service=valkey,severity=critical", 0)]), [None, None]);
    // A later one of the same node does not hide the earlier one.
    let two = [
        ("service=api", 0),
        ("service=valkey,severity=critical,a=1", 90),
        ("service=valkey,severity=critical", 5),
    ];
    assert_eq!(folds(EDGES, &two), [Some(2), None, None]);
}

#[test]
fn a_node_is_found_by_the_first_label_that_names_one() {
    let dependencies = Dependencies::new(EDGES);
    for (text, expected) in [
        ("service=api", Some("api")),
        ("instance=api/0", Some("api")),
        ("instance=host-1:9100", Some("host-1")),
        ("service=none,node=host-1", Some("host-1")),
        ("node=host-1,service=api", Some("api")),
        ("job=api", None),
        ("service=", None),
    ] {
        assert_eq!(dependencies.node_of(&labels(text), LABELS), expected, "{text}");
    }
}

#[test]
fn of_equally_near_causes_the_earliest_counts_and_the_order_of_alerts_does_not() {
    let first = [
        ("service=api", 50),
        ("service=valkey,severity=critical", 9),
        ("service=postgres-main,severity=critical", 3),
    ];
    assert_eq!(folds(EDGES, &first), [Some(2), None, None]);
    let other = [first[2], first[1], first[0]];
    assert_eq!(folds(EDGES, &other), [None, None, Some(0)]);
}

#[test]
fn in_a_circle_somebody_is_told() {
    let circle = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "c"), ("d", "a"), ("a", "e")];
    let all = |names: &[&str]| {
        names.iter().map(|name| format!("service={name},severity=critical")).collect::<Vec<_>>()
    };
    let texts = all(&["a", "b", "c", "d"]);
    let alerts: Vec<_> = texts.iter().map(|text| (text.as_str(), 0)).collect();
    // What hangs on the circle is folded under it; in it nothing is.
    assert_eq!(folds(&circle, &alerts), [None, None, None, Some(0)]);
    let texts = all(&["a", "b", "c", "d", "e"]);
    let alerts: Vec<_> = texts.iter().map(|text| (text.as_str(), 0)).collect();
    assert_eq!(folds(&circle, &alerts), [Some(4), Some(4), Some(4), Some(0), None]);
}

#[test]
fn in_any_graph_every_alert_leads_to_one_that_is_told() {
    let mut state = 5_u64;
    let mut below = |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    for _ in 0..300 {
        let edges: Vec<(String, String)> =
            (0..25).map(|_| (format!("n{}", below(12)), format!("n{}", below(12)))).collect();
        let edges: Vec<(&str, &str)> = edges.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let texts: Vec<(String, i64)> = (0..20)
            .map(|_| {
                let severity = ["critical", "warning"][usize::from(below(3) == 0)];
                (format!("service=n{},severity={severity}", below(12)), i64::try_from(below(200)).unwrap())
            })
            .collect();
        let alerts: Vec<(&str, i64)> = texts.iter().map(|(text, at)| (text.as_str(), *at)).collect();
        let folds = folds(&edges, &alerts);
        for start in 0..folds.len() {
            let mut at = start;
            let steps = std::iter::from_fn(|| {
                at = folds[at]?;
                Some(at)
            });
            assert!(steps.take(folds.len() + 1).count() <= folds.len(), "{edges:?} {alerts:?}");
        }
    }
}
