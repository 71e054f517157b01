//! Pending, firing, resolved; `for`, `keep_firing_for`, `limit`; woken by samples and by time.

use ops_alerts::rules::Life;
use ops_contract::{AlertState, RuleHealth};
use ops_samples::{NAME, is_stale};

use crate::world::World;

const RULES: &str = r#"
groups:
  - name: g
    interval: 15s
    rules:
      - alert: Now
        expr: a > 1
        labels: { severity: critical }
        annotations: { summary: "{{ $labels.job }} is {{ $value }}" }
      - alert: Later
        expr: b > 1
        for: 1m
      - alert: Kept
        expr: c > 1
        keep_firing_for: 30s
      - record: job:a
        expr: sum(a)
"#;

fn world() -> World {
    let mut world = World::new(RULES);
    for metric in ["a", "b", "c"] {
        world.answers.live(metric, &[("job=x", Life::Live)]);
    }
    world.pass();
    world
}

#[test]
fn a_sample_wakes_its_rule_at_once_and_no_other() {
    let mut world = world();
    world.answers.give("a > 1", &[("job=x", 2.0)]);
    world.answers.give("b > 1", &[("job=x", 2.0)]);
    world.arrive("unread");
    assert_eq!(world.story(), [""; 0]);
    world.arrive("a");
    assert_eq!(world.story(), ["Now Firing"]);
    let alert = &world.rule("Now").alerts[0];
    assert_eq!(alert.annotations["summary"], "x is 2");
    assert_eq!(alert.labels["severity"], "critical");
    assert_eq!(alert.active_at.0, world.now_ms * 1_000);
}

#[test]
fn it_is_pending_for_as_long_as_the_rule_says_and_fires_on_the_dot() {
    let mut world = world();
    world.now_ms += 3_210;
    world.answers.give("b > 1", &[("job=x", 2.0)]);
    world.arrive("b");
    assert_eq!(world.states("Later"), [AlertState::Pending]);
    let since = world.now_ms;
    world.wait(59);
    assert_eq!(world.states("Later"), [AlertState::Pending]);
    world.wait(2);
    let alert = &world.rule("Later").alerts[0];
    assert_eq!(alert.state, AlertState::Firing);
    assert_eq!(alert.fired_at.unwrap().0 / 1_000, since + 60_000, "by its own timer, not the group's");
    world.answers.give("b > 1", &[]);
    world.arrive("b");
    assert_eq!(world.story(), ["Later Pending", "Later Firing", "Later Resolved"]);
    assert_eq!(world.states("Later"), [AlertState::Resolved]);
}

#[test]
fn one_miss_ends_what_is_pending_and_nobody_is_told() {
    let mut world = world();
    world.answers.give("b > 1", &[("job=x", 2.0)]);
    world.arrive("b");
    world.answers.give("b > 1", &[]);
    world.arrive("b");
    assert!(world.states("Later").is_empty());
    assert!(world.stored.is_empty());
}

#[test]
fn it_fires_on_for_a_while_where_the_rule_says_so() {
    let mut world = world();
    world.answers.give("c > 1", &[("job=x", 2.0)]);
    world.arrive("c");
    world.answers.give("c > 1", &[]);
    world.arrive("c");
    world.wait(20);
    assert_eq!(world.states("Kept"), [AlertState::Firing]);
    // It comes back: the while begins anew with its next end.
    world.answers.give("c > 1", &[("job=x", 3.0)]);
    world.arrive("c");
    world.answers.give("c > 1", &[]);
    world.arrive("c");
    let since = world.now_ms;
    world.wait(40);
    let alert = &world.rule("Kept").alerts[0];
    assert_eq!(alert.resolved_at.unwrap().0 / 1_000, since + 30_000);
    assert_eq!(world.story(), ["Kept Firing", "Kept Resolved"]);
}

#[test]
fn series_tell_of_it_and_end_with_it() {
    let mut world = world();
    world.answers.give("sum(a)", &[("", 7.0)]);
    world.answers.give("b > 1", &[("job=x", 2.0)]);
    world.arrive("b");
    world.wait(61);
    world.answers.give("b > 1", &[]);
    world.arrive("b");
    let of = |metric: &str, state: &str| -> Vec<f64> {
        let fits = |it: &&(ops_samples::Labels, _)| {
            it.0.get(NAME) == Some(metric) && (state.is_empty() || it.0.get("alertstate") == Some(state))
        };
        world.samples.iter().filter(fits).map(|it| it.1.value).collect()
    };
    let (pending, firing) = (of("ALERTS", "pending"), of("ALERTS", "firing"));
    assert!(pending[0] == 1.0 && is_stale(*pending.last().unwrap()), "{pending:?}");
    assert!(firing[0] == 1.0 && is_stale(*firing.last().unwrap()), "{firing:?}");
    assert!(is_stale(*of("ALERTS_FOR_STATE", "").last().unwrap()));
    assert!(of("job:a", "").contains(&7.0));
    world.answers.give("sum(a)", &[]);
    world.wait(15);
    let last = world.samples.iter().rfind(|it| it.0.metric() == "job:a").unwrap();
    assert!(is_stale(last.1.value));
}

#[test]
fn a_rule_that_fails_changes_nothing_and_is_told_after_a_minute() {
    let mut world = world();
    world.answers.give("a > 1", &[("job=x", 2.0)]);
    world.arrive("a");
    world.answers.fail("a > 1");
    world.wait(59);
    assert_eq!(world.states("Now"), [AlertState::Firing]);
    assert_eq!(world.rule("Now").health, RuleHealth::Error);
    assert_eq!(world.story(), ["Now Firing"]);
    world.wait(30);
    assert_eq!(world.story(), ["Now Firing", "RuleUnhealthy Firing"]);
    let alert = world.rule("RuleUnhealthy").alerts[0].clone();
    assert_eq!((alert.labels["rule"].as_str(), alert.labels["reason"].as_str()), ("Now", "error"));
    assert!(alert.annotations["description"].contains("it broke"));
    world.crash();
    world.wait(120);
    assert_eq!(world.story().len(), 2, "a restart tells nothing again");
    world.answers.give("a > 1", &[("job=x", 2.0)]);
    world.wait(15);
    assert_eq!(world.story()[2..], ["RuleUnhealthy Resolved"]);
    assert_eq!(world.states("Now"), [AlertState::Firing]);
}

#[test]
fn two_results_with_the_same_labels_fail_the_rule() {
    let yaml = "groups: [{name: g, rules: [{alert: Same, expr: a, labels: {job: one}}]}]";
    let mut world = World::new(yaml);
    world.answers.give("a", &[("job=x", 1.0), ("job=y", 1.0)]);
    world.pass();
    let error = world.rule("Same").last_error.unwrap();
    assert!(error.contains("same labelset"), "{error}");
}

#[test]
fn a_limit_fails_the_rule_and_keeps_its_alerts() {
    let yaml = "groups: [{name: g, limit: 1, rules: [{alert: Few, expr: a}]}]";
    let mut world = World::new(yaml);
    world.answers.give("a", &[("job=x", 1.0)]);
    world.pass();
    world.answers.give("a", &[("job=x", 1.0), ("job=y", 1.0)]);
    world.arrive("a");
    assert!(world.rule("Few").last_error.unwrap().contains("exceeded limit of 1"));
    assert_eq!(world.states("Few"), [AlertState::Firing]);
}
