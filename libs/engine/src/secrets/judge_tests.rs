use ops_contract::{SecretSource, SecretState as S};

use super::*;

/// 3 May 2026, 0 h UTC.
const NOW: Timestamp = Timestamp(1_777_766_400_000_000);

fn spec() -> SecretSpec {
    let source = SecretSource::Env { variable: "JWT".to_owned() };
    SecretSpec { max_age: Some(DAY * 90), on_departure: true, ..SecretSpec::new(source) }
}

/// Renewed so many days ago.
fn facts(days: u32) -> SecretFacts {
    let evidence = Some("audit entry 17".to_owned());
    SecretFacts { rotated_at: Some(NOW - DAY * days), evidence, ..SecretFacts::default() }
}

fn check(facts: &SecretFacts, state: S, reason: &str) -> SecretJudgement {
    let judged = judge_secret(&spec(), facts, NOW);
    assert_eq!((judged.state, judged.reason.as_str()), (state, reason));
    judged
}

#[test]
fn a_young_secret_is_well_and_one_without_evidence_never() {
    let judged = check(&facts(10), S::Ok, "It was renewed on 23 April 2026.");
    assert_eq!(
        (judged.due_at, judged.step, judged.due_in(NOW)),
        (Some(NOW + DAY * 80), None, Some(DAY * 80))
    );
    let unknown = "Nothing shows when it was renewed last.";
    let judged = check(&SecretFacts::default(), S::Unknown, unknown);
    assert_eq!((judged.due_at, judged.step), (None, None));
    check(&SecretFacts { evidence: None, ..facts(10) }, S::Unknown, unknown);
    check(&SecretFacts { rotated_at: Some(NOW + DAY), ..facts(10) }, S::Unknown, unknown);
}

#[test]
fn the_steps_are_14_days_3_days_and_over() {
    for (age, state, step) in [
        (DAY * 76 - DAY / 24, S::Ok, None),
        (DAY * 76, S::DueSoon, Some(DueStep::Within14Days)),
        (DAY * 87 - DAY / 24, S::DueSoon, Some(DueStep::Within14Days)),
        (DAY * 87, S::DueSoon, Some(DueStep::Within3Days)),
        (DAY * 90 - DAY / 24, S::DueSoon, Some(DueStep::Within3Days)),
        (DAY * 90, S::Overdue, Some(DueStep::Overdue)),
        (DAY * 900, S::Overdue, Some(DueStep::Overdue)),
    ] {
        let judged = judge_secret(&spec(), &SecretFacts { rotated_at: Some(NOW - age), ..facts(0) }, NOW);
        assert_eq!((judged.state, judged.step), (state, step), "{age:?}");
    }
    check(&facts(80), S::DueSoon, "It is to be renewed within 10 days, by 13 May 2026.");
    check(&facts(100), S::Overdue, "It should have been renewed by 23 April 2026.");
}

#[test]
fn a_secret_without_a_longest_age_is_never_due() {
    let spec = SecretSpec { max_age: None, ..spec() };
    let judged = judge_secret(&spec, &facts(9_000), NOW);
    assert_eq!((judged.state, judged.due_at), (S::Ok, None));
}

#[test]
fn a_renewal_is_stuck_after_an_hour() {
    let pending = |ago| SecretFacts { pending_since: Some(NOW - ago), ..facts(1) };
    check(&pending(STUCK_AFTER), S::Ok, "It was renewed on 2 May 2026.");
    check(&pending(DAY), S::Stuck, "A renewal began 1 day ago and has not ended.");
    check(
        &SecretFacts { same_value: true, ..pending(DAY * 2) },
        S::Stuck,
        "A renewal began 2 days ago and has not ended.",
    );
}

#[test]
fn a_renewal_to_the_same_value_is_none() {
    check(
        &SecretFacts { same_value: true, ..facts(1) },
        S::SameValue,
        "It was renewed to the value that it had.",
    );
}

#[test]
fn whoever_left_makes_it_overdue_if_it_is_renewed_on_departure() {
    let left = |days| PersonLeft { person: "alice".to_owned(), at: NOW - DAY * days };
    let facts = SecretFacts { left: vec![left(1), left(2)], ..facts(10) };
    let judged = check(&facts, S::Overdue, "alice could know it and left on 1 May 2026.");
    assert_eq!((judged.due_at, judged.step), (Some(NOW - DAY * 2), Some(DueStep::Overdue)));
    let without = SecretSpec { on_departure: false, ..spec() };
    assert_eq!(judge_secret(&without, &facts, NOW).state, S::Ok);
    let blind = SecretFacts { rotated_at: None, ..facts };
    assert_eq!(
        judge_secret(&spec(), &blind, NOW).state,
        S::Overdue,
        "more urgent than that nothing is known"
    );
}

#[test]
fn a_consumer_must_have_read_anew_when_the_grace_is_over() {
    let reads = |days| BTreeMap::from([("api".to_owned(), NOW - DAY * days), ("worker".to_owned(), NOW)]);
    check(&SecretFacts { reads: reads(3), ..facts(1) }, S::Ok, "It was renewed on 2 May 2026.");
    let stale = SecretFacts { reads: reads(3), ..facts(2) };
    check(&stale, S::ConsumerStale, "api has not read it since it was renewed on 1 May 2026.");
    check(&SecretFacts { reads: reads(2), ..facts(2) }, S::Ok, "It was renewed on 1 May 2026.");
    let told: Vec<_> = consumers(&stale).into_iter().map(|it| (it.name, it.is_stale)).collect();
    assert_eq!(told, [("api".to_owned(), true), ("worker".to_owned(), false)]);
}

#[test]
fn times_out_of_this_world_do_not_panic() {
    for rotated in [i64::MIN, -1, 0, i64::MAX] {
        for now in [i64::MIN, 0, i64::MAX] {
            let spec = SecretSpec { max_age: Some(Duration::MAX), grace: Duration::ZERO, ..spec() };
            let facts = SecretFacts { rotated_at: Some(Timestamp(rotated)), ..facts(0) };
            judge_secret(&spec, &facts, Timestamp(now)).due_in(Timestamp(now));
        }
    }
}
