//! R1 to R5: what is unusual for a principal that is known.

use std::time::Duration;

use ops_contract::FindingSeverity::{Critical, Info, Warning};

use crate::findings::Deploy;
use crate::findings::testing::*;

/// Alice has read `s0` on the hour for 20 days, of which the last is `MONDAY`.
fn known() -> Scene {
    let mut scene = Scene::new();
    for day in (0..=20).rev() {
        scene.observe(read("alice", "s0", MONDAY - day * DAY));
    }
    scene
}

#[test]
fn r1_tells_a_secret_that_is_new_for_somebody_known() {
    let mut scene = known();
    assert!(scene.by("R1", read("alice", "s0", MONDAY + 1)).is_empty(), "it is no longer new");
    let found = scene.by("R1", read("alice", "s1", MONDAY + 2));
    assert_eq!((found.len(), found[0].severity, found[0].learning), (1, Warning, false));
    assert_eq!(found[0].summary, "alice reached s1 for the first time in 30 days");
    assert_eq!((found[0].secret.as_str(), found[0].principal.as_str()), ("s1", "alice"));
    assert_eq!(found[0].evidence, [22]);
    assert_eq!(scene.by("R1", read("alice", "root-key", MONDAY + 3))[0].severity, Critical);
}

#[test]
fn r1_forgets_after_30_days_and_not_before() {
    let mut scene = known();
    assert!(scene.by("R1", read("alice", "s0", MONDAY + 30 * DAY)).is_empty());
    assert_eq!(scene.by("R1", read("alice", "s0", MONDAY + 60 * DAY + 1)).len(), 1);
}

#[test]
fn r1_does_not_learn_from_refusals_and_is_quiet_during_a_deploy() {
    let mut scene = known();
    assert!(scene.by("R1", refused("alice", "s2", MONDAY)).is_empty());
    assert_eq!(scene.by("R1", read("alice", "s2", MONDAY)).len(), 1);
    let deploy = |until| Deploy { principal: "alice".into(), from: at(MONDAY + 10), until };
    scene.deploys = Some(vec![deploy(Some(at(MONDAY + 20)))]);
    assert!(scene.by("R1", read("alice", "s3", MONDAY + 20)).is_empty());
    assert_eq!(scene.by("R1", read("alice", "s4", MONDAY + 21)).len(), 1);
    scene.deploys = Some(vec![deploy(None)]);
    assert!(scene.by("R1", read("alice", "s5", MONDAY + 999)).is_empty());
    assert_eq!(scene.by("R1", read("alice", "s6", MONDAY + 9)).len(), 1);
}

#[test]
fn habits_are_learnt_for_14_days_and_what_is_found_then_is_only_shown() {
    let mut scene = Scene::new();
    let first = scene.by("R1", read("bob", "s0", MONDAY));
    assert_eq!((first[0].severity, first[0].learning), (Info, true));
    let last = scene.by("R1", read("bob", "s1", MONDAY + 14 * DAY - 1));
    assert_eq!((last[0].severity, last[0].learning), (Info, true));
    let known = scene.by("R1", read("bob", "s2", MONDAY + 14 * DAY));
    assert_eq!((known[0].severity, known[0].learning), (Warning, false));
}

#[test]
fn r2_tells_a_new_network_and_not_a_new_address_in_it() {
    let mut scene = known();
    assert!(scene.by("R2", from("10.1.2.200:4711", read("alice", "s0", MONDAY))).is_empty());
    let found = scene.by("R2", from("10.1.3.3", read("alice", "s0", MONDAY)));
    assert_eq!((found.len(), found[0].severity, found[0].secret.as_str()), (1, Warning, ""));
    assert_eq!(found[0].summary, "alice came from the network 10.1.3.0/24 for the first time in 30 days");
    assert!(scene.by("R2", from("10.1.3.4", read("alice", "s0", MONDAY))).is_empty());
    assert!(scene.by("R2", from("nowhere", read("alice", "s0", MONDAY))).is_empty());
    assert!(
        scene.by("R2", read("bob", "s0", MONDAY)).is_empty(),
        "the very first has nothing to compare with"
    );
}

#[test]
fn r2_holds_programs_to_their_declared_networks_from_the_first_day() {
    let mut scene = Scene::new();
    scene.spec.service_networks = vec!["10.0.0.0/8".to_owned()];
    assert!(scene.by("R2", service(read("api", "s0", MONDAY))).is_empty());
    assert!(scene.by("R2", from("10.200.0.1", service(read("api", "s0", MONDAY)))).is_empty());
    let found = scene.by("R2", from("11.0.0.1", service(read("api", "s0", MONDAY))));
    assert_eq!((found[0].severity, found[0].learning), (Critical, false));
    assert!(scene.by("R2", from("11.0.0.1", read("alice", "s0", MONDAY))).is_empty(), "people travel");
}

#[test]
fn r3_tells_the_seventh_secret_in_ten_minutes() {
    let mut scene = known();
    let mut found = Vec::new();
    for number in 1..=6 {
        found.extend(scene.by("R3", read("alice", &format!("s{number}"), MONDAY + 600 + number)));
        found.extend(scene.by("R3", read("alice", "s1", MONDAY + 600 + number)));
    }
    assert!(found.is_empty(), "six are not seven, and one that is read often is one");
    let found = scene.by("R3", read("alice", "s7", MONDAY + 700));
    assert_eq!((found.len(), found[0].severity, found[0].evidence.len()), (1, Warning, 7));
    assert!(found[0].summary.contains("7 different secrets in 10 minutes"), "{}", found[0].summary);
    for number in 1..=20 {
        let slowly = read("bob", &format!("s{number}"), MONDAY + number * 100);
        assert!(scene.by("R3", slowly).is_empty(), "six in each ten minutes");
    }
}

#[test]
fn r3_takes_three_times_what_is_usual_and_one_theft_does_not_hide_the_next() {
    let mut scene = Scene::new();
    let burst = |scene: &mut Scene, start: i64, most: i64| -> usize {
        (0..most).map(|it| scene.by("R3", read("alice", &format!("s{it}"), start + it)).len()).sum()
    };
    for day in 0..20 {
        burst(&mut scene, MONDAY + day * DAY, 5);
    }
    assert_eq!(burst(&mut scene, MONDAY + 21 * DAY, 14), 0, "five are usual, so fifteen are the limit");
    assert!(burst(&mut scene, MONDAY + 22 * DAY, 100) > 0);
    assert!(burst(&mut scene, MONDAY + 23 * DAY, 45) > 0, "the hundred of yesterday are one outlier");
}

#[test]
fn r4_tells_20_reads_in_5_minutes_of_a_quiet_principal_and_not_19() {
    let mut scene = known();
    for second in 1..=18 {
        assert!(scene.by("R4", read("alice", "s0", MONDAY + second)).is_empty());
    }
    let found = scene.by("R4", read("alice", "s0", MONDAY + 19));
    assert_eq!((found.len(), found[0].severity, found[0].evidence.len()), (1, Warning, 20));
    assert!(found[0].summary.starts_with("alice read 20 times in 5 minutes"), "{}", found[0].summary);
}

#[test]
fn r4_counts_five_minutes_that_slide() {
    let mut scene = known();
    let slow: usize =
        (1..200).map(|it| scene.by("R4", read("alice", "s0", MONDAY + HOUR + it * 16)).len()).sum();
    assert_eq!(slow, 0, "nineteen in each five minutes");
    let across: usize =
        (1..=24).map(|it| scene.by("R4", read("alice", "s0", MONDAY + 3 * HOUR - 120 + it * 10)).len()).sum();
    assert!(across > 0, "though the clock's five minutes part them");
}

#[test]
fn r4_knows_what_is_usual_and_still_tells_six_deviations_more() {
    let mut scene = Scene::new();
    let each_week = |scene: &mut Scene, week: i64, reads: i64| -> usize {
        let start = MONDAY + week * 7 * DAY;
        let spans = (0..12).flat_map(|span| (0..reads).map(move |it| span * 300 + it % 300));
        spans.map(|second| scene.by("R4", service(read("api", "s0", start + second))).len()).sum()
    };
    for week in 0..6 {
        each_week(&mut scene, week, 100);
    }
    assert_eq!(each_week(&mut scene, 6, 130), 0, "100 are usual in that hour, 10 is a standard deviation");
    assert!(each_week(&mut scene, 7, 230) > 0);
}

#[test]
fn r5_tells_an_hour_at_which_somebody_is_never_at_work() {
    let mut scene = Scene::new();
    for day in (0..14).filter(|day| day % 7 < 5) {
        for hour in 0..5 {
            assert!(scene.by("R5", read("alice", "s0", MONDAY + day * DAY + hour * HOUR)).is_empty());
        }
    }
    let night = MONDAY + 21 * DAY + 18 * HOUR;
    let found = scene.by("R5", read("alice", "s0", night));
    assert_eq!((found.len(), found[0].severity, found[0].learning), (1, Warning, false));
    let told = "alice was at work on Tuesday at 03 h UTC: 0 of 50 hours before were at that time of the week";
    assert_eq!(found[0].summary, told);
    assert_eq!(scene.by("R5", read("alice", "s0", night + 60)).len(), 1, "reading twice makes no habit");
    for week in 4..6 {
        scene.observe(read("alice", "s0", night + week * 7 * DAY));
    }
    let habit = scene.by("R5", read("alice", "s0", night + 6 * 7 * DAY));
    assert!(habit.is_empty(), "three weeks make one");
}

#[test]
fn r5_waits_for_50_hours_and_leaves_programs_alone() {
    let mut scene = Scene::new();
    for hour in 0..49 {
        scene.observe(read("alice", "s0", MONDAY + hour / 5 * DAY + hour % 5 * HOUR));
    }
    assert!(scene.by("R5", read("alice", "s0", MONDAY + 21 * DAY + 18 * HOUR)).is_empty());
    scene.spec.hours = Some([8, 18]);
    assert!(scene.by("R5", service(read("api", "s0", MONDAY + 18 * HOUR))).is_empty());
}

#[test]
fn r5_leaves_somebody_alone_who_works_around_the_clock() {
    let mut scene = Scene::new();
    let mut week = |week: i64| -> usize {
        let hours = (0..7 * 24).map(|hour| MONDAY + week * 7 * DAY + hour * HOUR);
        hours.map(|hour| scene.by("R5", read("alice", "s0", hour)).len()).sum()
    };
    for learnt in 0..3 {
        week(learnt);
    }
    assert_eq!(week(3), 0, "each hour was used three times, though each has less than 1 %");
}

#[test]
fn r5_holds_people_to_declared_hours() {
    let mut scene = Scene::new();
    scene.spec.hours = Some([9, 18]);
    assert!(scene.by("R5", read("alice", "s0", MONDAY)).is_empty());
    let early = scene.by("R5", read("alice", "s0", MONDAY - 1));
    assert_eq!((early.len(), early[0].severity), (1, Warning));
    assert_eq!(scene.by("R5", read("alice", "s0", MONDAY + 9 * HOUR)).len(), 1);
    scene.spec.hours = Some([22, 6]);
    assert_eq!(scene.by("R5", read("alice", "s0", MONDAY)).len(), 1);
    assert!(scene.by("R5", read("alice", "s0", MONDAY + 14 * HOUR)).is_empty());
}

#[test]
fn a_memory_of_nothing_and_figures_of_nothing_do_not_panic() {
    let mut scene = Scene::new();
    scene.spec.memory = Duration::ZERO;
    (scene.spec.spread, scene.spec.volume, scene.spec.denied, scene.spec.denied_secrets) = (0, 0, 0, 0);
    scene.spec.volume_deviations = f64::NAN;
    scene.spec.hours = Some([255, 0]);
    for second in 0..100 {
        scene.observe(read("alice", "s0", MONDAY + second * 400));
        scene.observe(refused("alice", "s0", MONDAY + second * 400));
    }
}
