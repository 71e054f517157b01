#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use ops_contract::Timestamp;

use super::*;
use crate::routing::parse_matchers;

type Labels = BTreeMap<String, String>;

fn labels(text: &str) -> Labels {
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect()
}

fn matchers(text: &str) -> Matchers {
    Matchers::compile(parse_matchers(text).unwrap()).unwrap()
}

fn source(text: &str, equal: &[&str]) -> InhibitionSource {
    InhibitionSource { matchers: matchers(text), equal: equal.iter().map(|it| (*it).to_owned()).collect() }
}

fn rule(sources: Vec<InhibitionSource>, targets: &str) -> InhibitRule {
    InhibitRule { name: String::new(), sources, targets: matchers(targets) }
}

/// Alerts that do not fire have a `!` before their labels.
fn judge(rules: &[InhibitRule], alerts: &[&str]) -> Vec<Option<usize>> {
    let sets: Vec<Labels> = alerts.iter().map(|text| labels(text.trim_start_matches('!'))).collect();
    let living: Vec<LivingAlert<'_>> = alerts
        .iter()
        .zip(&sets)
        .map(|(text, labels)| LivingAlert {
            id: text,
            labels,
            firing: !text.starts_with('!'),
            active_at: Timestamp(0),
        })
        .collect();
    Inhibitor::new(rules).judge(&living).into_iter().map(|it| it.map(|it| it.by)).collect()
}

#[test]
fn a_firing_source_with_equal_labels_inhibits_its_targets() {
    let rules = [rule(vec![source("severity=critical", &["cluster", "zone"])], "severity=warning")];
    let alerts = [
        "severity=warning,cluster=a",
        "severity=critical,cluster=a,x=1",
        "severity=warning,cluster=b",
        "!severity=critical,cluster=b",
        "severity=warning,cluster=a,zone=",
        "severity=warning,cluster=a,zone=1",
        "severity=info,cluster=a",
    ];
    // Alerts that lack a label have the same value of it as those where it is empty.
    assert_eq!(judge(&rules, &alerts), [Some(1), None, None, None, Some(1), None, None]);
    assert_eq!(judge(&[], &alerts), [None; 7]);
}

#[test]
fn an_alert_on_both_sides_inhibits_neither_itself_nor_another_such() {
    let rules = [rule(vec![source("a=1", &["e"])], "b=1")];
    assert_eq!(judge(&rules, &["a=1,b=1,e=x"]), [None]);
    assert_eq!(judge(&rules, &["a=1,b=1,e=x", "a=1,b=1,e=x,c=1"]), [None, None]);
    // One that is a target only is inhibited by one that is both, and one that is both by one that is a source only.
    assert_eq!(judge(&rules, &["a=1,b=1,e=x", "b=1,e=x"]), [None, Some(0)]);
    assert_eq!(judge(&rules, &["a=1,b=1,e=x", "b=1,e=x", "a=1,e=x"]), [Some(2), Some(0), None]);
}

#[test]
fn an_inhibited_alert_still_inhibits() {
    let rules = [rule(vec![source("n=1", &[])], "n=2"), rule(vec![source("n=2", &[])], "n=3")];
    assert_eq!(judge(&rules, &["n=3", "n=2", "n=1"]), [Some(1), Some(2), None]);
}

#[test]
fn of_several_sources_each_must_fire_with_its_own_equal_labels() {
    let sources = vec![source("app=parser", &["cluster"]), source("app=writer", &[])];
    let rules = [rule(sources, "app=enricher")];
    assert_eq!(judge(&rules, &["app=enricher,cluster=a", "app=parser,cluster=a"]), [None, None]);
    assert_eq!(judge(&rules, &["app=enricher,cluster=a", "app=parser,cluster=b", "app=writer"]), [None; 3]);
    let all = judge(&rules, &["app=enricher,cluster=a", "app=writer", "app=parser,cluster=a"]);
    assert_eq!(all, [Some(2), None, None]);
    assert_eq!(
        judge(&[rule(Vec::new(), "a=b")], &["a=b"]),
        [None],
        "a rule without sources inhibits nothing"
    );
}

/// The rule as Alertmanager's documentation says it, over all pairs.
fn slow(rule: &InhibitRule, alerts: &[LivingAlert<'_>]) -> Vec<bool> {
    let source = &rule.sources[0];
    let inhibits = |target: &LivingAlert<'_>, by: &LivingAlert<'_>| {
        let two_sided = source.matchers.matches(target.labels) && rule.targets.matches(by.labels);
        let same = |label: &String| target.labels.get(label) == by.labels.get(label);
        by.firing && source.matchers.matches(by.labels) && !two_sided && source.equal.iter().all(same)
    };
    let judge =
        |it: &LivingAlert<'_>| rule.targets.matches(it.labels) && alerts.iter().any(|by| inhibits(it, by));
    alerts.iter().map(judge).collect()
}

#[test]
fn ten_thousand_alerts_are_judged_as_a_look_at_all_pairs_judges_them() {
    let rules = [rule(vec![source("side=~\"source|both\"", &["e", "f"])], "side=~\"target|both\"")];
    let sides = ["source", "target", "both", "neither"];
    let sets: Vec<Labels> = (0..10_000_usize)
        .map(|at| labels(&format!("side={},e={},f={}", sides[at * 7 % 11 % 4], at % 701, at % 5)))
        .collect();
    let living: Vec<LivingAlert<'_>> = sets
        .iter()
        .enumerate()
        .map(|(at, labels)| LivingAlert { id: "", labels, firing: at % 3 != 0, active_at: Timestamp(0) })
        .collect();
    let judged = Inhibitor::new(&rules).judge(&living);
    assert_eq!(judged.len(), 10_000);
    // All pairs of all are too many for a test; of every tenth they are not.
    let some: Vec<LivingAlert<'_>> = living.iter().copied().step_by(10).collect();
    let expected = slow(&rules[0], &some);
    let judged: Vec<bool> = Inhibitor::new(&rules).judge(&some).iter().map(Option::is_some).collect();
    assert_eq!(judged, expected);
    assert!(
        expected.iter().filter(|it| **it).count() > 50 && expected.iter().filter(|it| !**it).count() > 50
    );
}
