#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use ops_contract::Matcher;

use super::*;
use crate::routing::parse_matchers;

const HOUR: i64 = 3_600_000_000;

fn silence(id: &str, matchers: &str, from: i64, until: i64) -> Silence {
    Silence {
        id: id.to_owned(),
        matchers: parse_matchers(matchers).unwrap(),
        starts_at: Timestamp(from * HOUR),
        ends_at: Timestamp(until * HOUR),
        updated_at: Timestamp(0),
        created_by: "ann".to_owned(),
        comment: "maintenance".to_owned(),
        annotations: BTreeMap::new(),
    }
}

fn labels(text: &str) -> BTreeMap<String, String> {
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect()
}

#[test]
fn a_silence_mutes_from_its_start_to_before_its_end() {
    let it = silence("s", "a=b", 1, 2);
    for (at, expected) in [
        (HOUR - 1, SilenceState::Pending),
        (HOUR, SilenceState::Active),
        (2 * HOUR - 1, SilenceState::Active),
        (2 * HOUR, SilenceState::Expired),
    ] {
        assert_eq!(silence_state(&it, Timestamp(at)), expected, "{at}");
    }
}

#[test]
fn only_active_silences_whose_matchers_all_match_mute() {
    let (mut silences, wrong) = Silences::new([
        silence("1", "team=web", 0, 10),
        silence("2", "team=~w.*,severity!=page", 0, 10),
        silence("3", "team=web", 5, 10),
        silence("4", "team=web", 0, 1),
        silence("5", "{}", 0, 10),
    ]);
    assert!(wrong.is_empty());
    let at = Timestamp(2 * HOUR);
    assert_eq!(silences.muting(&labels("team=web"), at), ["1", "2"]);
    assert_eq!(silences.muting(&labels("team=web,severity=page"), at), ["1"]);
    assert!(silences.muting(&labels("team=db"), at).is_empty());
    assert_eq!(silences.muting(&labels("team=web"), Timestamp(6 * HOUR)), ["1", "2", "3"]);
    assert_eq!(silences.next_change(at), Some(Timestamp(5 * HOUR)));
    assert_eq!(silences.next_change(Timestamp(10 * HOUR)), None);
    silences.put(silence("1", "team=db", 0, 10)).unwrap();
    assert!(silences.remove("2").is_some() && silences.remove("2").is_none());
    assert!(silences.muting(&labels("team=web"), at).is_empty());
    assert_eq!(silences.muting(&labels("team=db"), at), ["1"]);
    assert_eq!(silences.get("1").unwrap().matchers[0].value, "db");
    assert_eq!(silences.iter().count(), 4);
}

#[test]
fn what_would_mute_everything_or_never_end_is_refused() {
    let now = Timestamp(HOUR);
    let refused = |it: &Silence| check_silence(it, now).map_err(|error| error.to_string());
    assert_eq!(refused(&silence("s", "a=b", 0, 2)), Ok(()));
    assert_eq!(refused(&silence("s", "a=b,c=~\".*\"", 2, 2 + 366 * 24)), Ok(()));
    for (it, expected) in [
        (silence("s", "{}", 0, 2), "the silence has no matchers; name at least one label"),
        (
            silence("s", "a=~\".*\",b!=x", 0, 2),
            "the matchers {a=~\".*\",b!=\"x\"} match alerts that have none of these labels; one must not match the empty text",
        ),
        (silence("s", "a=b", 3, 3), "the silence ends before it begins; endsAt must be after startsAt"),
        (silence("s", "a=b", 0, 1), "the silence ends in the past; endsAt must be after now"),
        (
            silence("s", "a=b", 0, 367 * 24),
            "the silence lasts 367 days; at most 366 are possible, make a new one then",
        ),
        (
            silence("s", "a=b", i64::MIN / HOUR, i64::MAX / HOUR),
            "the silence lasts 106751991 days; at most 366 are possible, make a new one then",
        ),
    ] {
        assert_eq!(refused(&it), Err(expected.to_owned()));
    }
    let mut many = silence("s", "a=b", 0, 2);
    many.matchers = vec![many.matchers[0].clone(); 1_001];
    assert_eq!(check_silence(&many, now), Err(SilenceError::TooManyMatchers(1_001)));
    let mut large = silence("s", "a=b", 0, 2);
    large.annotations.insert("x".into(), "y".repeat(LARGEST));
    assert!(matches!(check_silence(&large, now), Err(SilenceError::TooLarge(_))));
    let mut none = silence("s", "a=b", 0, 2);
    none.matchers.push(Matcher { name: "c".into(), value: "(".into(), is_regex: true, is_equal: true });
    assert!(matches!(check_silence(&none, now), Err(SilenceError::Matcher(_))));
    let (silences, wrong) = Silences::new([none]);
    assert_eq!((silences.iter().count(), wrong.len()), (0, 1));
}

#[test]
fn it_says_how_many_firing_alerts_it_would_mute() {
    let sets =
        [labels("team=web"), labels("team=web,severity=page"), labels("team=db"), labels("team=web,x=y")];
    let living: Vec<LivingAlert<'_>> = sets
        .iter()
        .enumerate()
        .map(|(at, labels)| LivingAlert { id: "", labels, firing: at != 3, active_at: Timestamp(0) })
        .collect();
    assert_eq!(would_mute(&silence("s", "team=web", 0, 1), &living), Ok(2));
    assert_eq!(would_mute(&silence("s", "team=none", 0, 1), &living), Ok(0));
}
