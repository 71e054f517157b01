#![allow(clippy::unwrap_used)]

use super::*;

const MINUTE: i64 = 60_000_000;

fn level(after: &str, receivers: &[&str], policy: Option<&str>) -> LevelSettings {
    LevelSettings {
        after: after.into(),
        receivers: receivers.iter().map(|it| (*it).to_owned()).collect(),
        schedules: Vec::new(),
        policy: policy.map(str::to_owned),
    }
}

fn read(policies: &[(&str, PolicySettings)]) -> Result<Policies, Vec<String>> {
    let settings = policies.iter().map(|(name, it)| ((*name).to_owned(), it.clone())).collect();
    let read = Policies::read("f", &settings, &["slack", "phone"].into(), &["week"].into());
    read.map_err(|faults| faults.iter().map(|it| format!("{}: {}", it.place, it.problem)).collect())
}

fn policy(levels: Vec<LevelSettings>, repeat: u32, repeat_after: &str) -> PolicySettings {
    PolicySettings { levels, repeat, repeat_after: repeat_after.into() }
}

#[test]
fn levels_come_due_in_time_and_all_begins_anew() {
    let levels = vec![
        level("", &["slack"], None),
        level("5m", &["phone"], None),
        level("15m", &["slack", "phone"], None),
    ];
    let all = read(&[("p", policy(levels, 1, "10m"))]).unwrap();
    let policy = all.get("p").unwrap();
    let opened = Timestamp(1_000_000);
    let at = |minutes: i64| Timestamp(opened.0 + minutes * MINUTE);
    for (minute, expected, next) in [
        (0, Some((0, 0)), Some(5)),
        (4, Some((0, 0)), Some(5)),
        (5, Some((0, 1)), Some(15)),
        (15, Some((0, 2)), Some(25)),
        (24, Some((0, 2)), Some(25)),
        (25, Some((1, 0)), Some(30)),
        (30, Some((1, 1)), Some(40)),
        (40, Some((1, 2)), None),
        (10_000, Some((1, 2)), None),
    ] {
        let due = policy.due(opened, false, at(minute));
        assert_eq!(due.map(|it| (it.round, it.level)), expected, "{minute}");
        assert_eq!(policy.next_at(opened, at(minute)), next.map(at), "{minute}");
        assert_eq!(policy.due(opened, true, at(minute)), None, "who has acknowledged is left alone");
    }
    assert_eq!(policy.due(opened, false, Timestamp(0)), None);
    assert!(Due { round: 0, level: 2 } < Due { round: 1, level: 0 });
    assert_eq!(policy.due(Timestamp(i64::MIN), false, Timestamp(i64::MAX)).unwrap().round, 1);
}

#[test]
fn before_the_first_level_of_a_later_round_the_last_of_the_one_before_is_due() {
    let all = read(&[("p", policy(vec![level("3m", &["slack"], None)], 2, "2m"))]).unwrap();
    let policy = all.get("p").unwrap();
    let due = |minute: i64| {
        policy.due(Timestamp(0), false, Timestamp(minute * MINUTE)).map(|it| (it.round, it.level))
    };
    assert_eq!(due(2), None);
    assert_eq!(due(3), Some((0, 0)));
    assert_eq!(due(6), Some((0, 0)));
    assert_eq!(due(8), Some((1, 0)));
    assert_eq!(due(13), Some((2, 0)));
    assert_eq!(policy.next_at(Timestamp(0), Timestamp(0)), Some(Timestamp(3 * MINUTE)));
    assert_eq!(policy.next_at(Timestamp(0), Timestamp(5 * MINUTE)), Some(Timestamp(8 * MINUTE)));
}

#[test]
fn a_level_may_go_on_with_another_policy() {
    let first = vec![level("1m", &["slack"], None), level("10m", &[], Some("second"))];
    let mut on_call = level("", &[], None);
    on_call.schedules = vec!["week".into()];
    let second = vec![on_call, level("5m", &["phone"], None)];
    let all = read(&[("first", policy(first, 0, "")), ("second", policy(second, 3, ""))]).unwrap();
    let levels: Vec<_> = all.get("first").unwrap().levels.iter().map(|it| it.after.as_secs() / 60).collect();
    assert_eq!(levels, [1, 10, 15]);
    assert_eq!(all.get("first").unwrap().levels[1].schedules, ["week"]);
    assert_eq!(
        all.iter().map(|(name, it)| (name, it.repeat)).collect::<Vec<_>>(),
        [("first", 0), ("second", 3)]
    );
}

#[test]
fn everything_wrong_with_policies_is_told_at_once() {
    let mut unknown = level("soon", &["sms"], Some("none"));
    unknown.schedules = vec!["month".into()];
    let faults = read(&[
        ("a", policy(vec![level("", &["slack"], Some("b"))], 0, "")),
        ("b", policy(vec![level("1m", &[], Some("a"))], 0, "")),
        ("c", policy(vec![level("", &[], Some("c"))], 0, "")),
        ("d", policy(vec![unknown], 0, "")),
        ("e", policy(vec![], 0, "")),
        ("f", policy(vec![level("5m", &["slack"], None), level("5m", &["phone"], None)], 101, "0s")),
        ("g", policy(vec![level("1m", &[], None)], 0, "x")),
    ])
    .unwrap_err();
    let expected = [
        "escalations.a: the policies name each other in a circle: a -> b -> a",
        "escalations.b: the policies name each other in a circle: b -> a -> b",
        "escalations.c: the policies name each other in a circle: c -> c",
        "escalations.d.levels[0].after: \"soon\" is not a duration",
        "escalations.d.levels[0]: there is no receiver \"sms\"",
        "escalations.d.levels[0]: there is no schedule \"month\"",
        "escalations.d.levels[0]: there is no policy \"none\"",
        "escalations.e: there are no levels",
        "escalations.f: repeat is more than 100",
        "escalations.f: repeat_after is zero",
        "escalations.f: the levels are not in the order of their times",
        "escalations.g.levels[0]: the level tells nobody",
        "escalations.g.repeat_after: \"x\" is not a duration",
        "escalations.g: there are no levels",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn policies_that_multiply_are_refused_before_they_do() {
    let mut policies: Vec<(String, PolicySettings)> = (0..40)
        .map(|at| {
            let next = format!("p{}", at + 1);
            (format!("p{at}"), policy(vec![level("", &[], Some(&next)), level("", &[], Some(&next))], 0, ""))
        })
        .collect();
    policies.push(("p40".to_owned(), policy(vec![], 0, "")));
    let named: Vec<_> = policies.iter().map(|(name, it)| (name.as_str(), it.clone())).collect();
    let faults = read(&named).unwrap_err();
    assert!(faults.contains(&"escalations.p0: there are more than 100 levels".to_owned()), "{faults:?}");
}
