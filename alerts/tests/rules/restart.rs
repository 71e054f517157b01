//! Killed at any step, the story is the same as without; reloads keep what is the same.

use ops_alerts::rules::{Engine, Life, RuleFile, RuleSet, Settings};
use ops_contract::AlertState;

use crate::world::{World, rules};

const RULES: &str = r#"
groups:
  - name: g
    interval: 15s
    rules:
      - { alert: A, expr: a > 1, for: 40s, keep_firing_for: 20s }
"#;

/// What happens, second by second; the engine is killed before or after storing at each evaluation that `kill` names.
fn story(kill: impl Fn(usize) -> Option<bool>) -> (Vec<String>, usize) {
    let mut world = World::new(RULES);
    world.answers.live("a", &[("job=x", Life::Live)]);
    let mut evaluations = 0;
    for second in 0..180 {
        let holds = (10..90).contains(&second) || (95..120).contains(&second);
        world.answers.give("a > 1", if holds { &[("job=x", 2.0)] } else { &[] });
        world.now_ms += 1_000;
        for outcome in world.outcomes() {
            let step = world.engine.plan(&outcome);
            match kill(evaluations) {
                Some(false) => world.crash(),
                Some(true) => {
                    world.store(&step);
                    world.crash();
                }
                None => {
                    world.store(&step);
                    world.engine.apply(step);
                }
            }
            evaluations += 1;
            if kill(evaluations - 1).is_some() {
                break;
            }
        }
    }
    let mut story: Vec<String> = world
        .stored
        .values()
        .map(|it| format!("{} {:?} {:?} {:?}", it.id, it.state, it.active_at, it.labels))
        .collect();
    story.sort();
    (story, evaluations)
}

#[test]
fn killed_at_any_step_it_goes_on_where_it_was() {
    let (undisturbed, evaluations) = story(|_| None);
    assert_eq!(undisturbed.len(), 1, "{undisturbed:?}");
    assert!(undisturbed[0].contains("Resolved"));
    for at in 0..evaluations {
        for stored in [false, true] {
            let (story, _) = story(|it| (it == at).then_some(stored));
            assert_eq!(story.len(), 1, "killed at {at}, stored {stored}: {story:?}");
            assert!(story[0].contains("Resolved"), "killed at {at}, stored {stored}: {story:?}");
        }
    }
}

#[test]
fn a_long_stop_neither_resets_nor_resolves() {
    let mut world = World::new(RULES);
    world.answers.live("a", &[("job=x", Life::Live)]);
    world.answers.give("a > 1", &[("job=x", 2.0)]);
    world.pass();
    let since = world.rule("A").alerts[0].active_at;
    world.now_ms += 6 * 3_600_000;
    world.crash();
    world.answers.give("a > 1", &[]);
    world.answers.live("a", &[("job=x", Life::Silent)]);
    world.wait(60);
    assert_eq!(world.states("A"), [AlertState::Pending], "nothing is known, so nothing changes");
    world.answers.live("a", &[("job=x", Life::Live)]);
    world.answers.give("a > 1", &[("job=x", 2.0)]);
    world.arrive("a");
    let alert = world.rule("A").alerts[0].clone();
    assert_eq!((alert.state, alert.active_at), (AlertState::Firing, since));
}

#[test]
fn other_rules_keep_what_is_the_same_and_end_what_is_gone() {
    let mut world = World::new(
        "groups: [{name: g, rules: [{alert: Stays, expr: a}, {alert: Goes, expr: a}, {alert: Other, expr: a}]}]",
    );
    world.answers.give("a", &[("job=x", 1.0)]);
    world.pass();
    let stays = world.rule("Stays").alerts[0].clone();
    let steps = world.engine.replace(
        rules("groups: [{name: g, rules: [{alert: New, expr: a}, {alert: Stays, expr: a}, {alert: Other, expr: a > 0}]}]"),
        world.now_ms,
    );
    let ended: Vec<_> =
        steps.iter().flat_map(|it| &it.ended).map(|it| it.labels["alertname"].clone()).collect();
    assert_eq!(ended, ["Goes", "Other"]);
    assert!(steps.iter().all(|it| it.changed && !it.samples.is_empty()));
    assert_eq!(world.rule("Stays").alerts[0], stays);
    world.pass();
    assert_eq!(world.states("New"), [AlertState::Firing]);
}

#[test]
fn with_the_timer_only_samples_wake_nothing_and_times_are_the_grids() {
    let file = RuleFile::parse("rules.yml", RULES).unwrap();
    let settings = Settings { timer_only: true, ..Settings::default() };
    let set = std::sync::Arc::new(RuleSet::new(vec![file], &settings));
    let mut engine = Engine::new(set, Vec::new(), 1_000_000);
    assert!(engine.due(1_000_000).is_empty());
    engine.arrived(&["a".into()], &["a".into()], 1_000_000);
    assert!(engine.due(1_000_000).is_empty());
    let turn = engine.next_due_ms().unwrap();
    assert!(turn > 1_000_000 && turn <= 1_015_000);
    let jobs = engine.due(turn + 400);
    let outcome = jobs[0].run(&crate::world::Answers::default(), turn + 400);
    assert_eq!(outcome.at_ms, turn);
}
