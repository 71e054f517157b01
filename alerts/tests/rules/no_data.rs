//! What is missing because its data is missing neither resolves nor is forgotten.

use ops_alerts::rules::Life;
use ops_contract::{AlertState, RuleHealth};

use crate::world::World;

const RULES: &str = r#"
groups:
  - name: g
    interval: 15s
    rules:
      - alert: High
        expr: load > 1
        labels: { severity: warning }
      - alert: Sum
        expr: sum(load) > 1
      - alert: Absent
        expr: absent(load)
"#;

const X: &str = "__name__=load,job=n,instance=x";
const Y: &str = "__name__=load,job=n,instance=y";
const UP_X: &str = r#"up{job="n",instance="x"} == 0"#;

fn firing() -> World {
    let mut world = World::new(RULES);
    world.answers.live("load", &[(X, Life::Live), (Y, Life::Live)]);
    world.answers.give("load > 1", &[(X, 2.0)]);
    world.pass();
    assert_eq!(world.story(), ["High Firing"]);
    world.answers.give("load > 1", &[]);
    world
}

fn after(lives: &[(&str, Life)], scrape_fails: bool) -> World {
    let mut world = firing();
    world.answers.live("load", lives);
    if scrape_fails {
        world.answers.give(UP_X, &[("__name__=up,job=n,instance=x", 0.0)]);
    }
    world.arrive("load");
    world
}

#[test]
fn it_resolves_when_its_series_is_there_and_the_condition_is_not() {
    let world = after(&[(X, Life::Live), (Y, Life::Live)], false);
    assert_eq!(world.states("High"), [AlertState::Resolved]);
}

#[test]
fn it_is_held_when_its_own_series_fell_silent_though_others_live() {
    let world = after(&[(X, Life::Silent), (Y, Life::Live)], false);
    assert_eq!(world.states("High"), [AlertState::Firing]);
    assert!(world.rule("High").alerts[0].no_data_since.is_some());
    assert_eq!(world.rule("High").health, RuleHealth::NoData);
}

#[test]
fn it_is_held_when_the_scrape_fails_and_resolves_when_the_target_was_taken_away() {
    let world = after(&[(X, Life::Ended), (Y, Life::Live)], true);
    assert_eq!(world.states("High"), [AlertState::Firing]);
    let world = after(&[(X, Life::Ended), (Y, Life::Live)], false);
    assert_eq!(world.states("High"), [AlertState::Resolved]);
}

#[test]
fn it_is_held_for_as_long_as_nothing_is_known_and_judged_when_data_is_back() {
    let mut world = after(&[(X, Life::Silent), (Y, Life::Live)], false);
    world.answers.live("load", &[]);
    world.wait(7_200);
    assert_eq!(world.states("High"), [AlertState::Firing]);
    assert!(world.story().contains(&"RuleUnhealthy Firing".to_owned()));
    world.crash();
    world.wait(600);
    assert_eq!(world.states("High"), [AlertState::Firing], "over a restart too");
    world.answers.live("load", &[(X, Life::Live)]);
    world.arrive("load");
    assert_eq!(world.states("High"), [AlertState::Resolved]);
    assert!(world.story().contains(&"RuleUnhealthy Resolved".to_owned()));
}

#[test]
fn a_rule_whose_data_vanished_is_unhealthy_and_one_that_never_had_any_is_not() {
    let mut world = World::new(RULES);
    world.pass();
    world.wait(300);
    assert_eq!(world.rule("Sum").health, RuleHealth::Ok);
    world.answers.live("load", &[(X, Life::Silent)]);
    world.wait(180);
    assert_eq!(world.rule("Sum").health, RuleHealth::NoData);
    assert_eq!(world.rule("Absent").health, RuleHealth::Ok, "absence is its answer");
    let told: Vec<_> = world.told.iter().map(|it| it.alert.labels["rule"].clone()).collect();
    assert!(told.contains(&"Sum".to_owned()) && !told.contains(&"Absent".to_owned()), "{told:?}");
}
