//! Restarts, segments, retention: what is on disk is what was in memory.

use ops_samples::Sample;
use ops_series::{Memory, OpenError, Options, Store};

use crate::model::{Random, append, labels, same};

const START: i64 = 1_700_000_000_000;

pub(crate) fn options() -> Options {
    Options { segment_ms: 600_000, out_of_order_ms: 60_000, ..Options::default() }
}

#[test]
fn a_store_that_is_opened_again_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(11);
    let mut model = Memory::default();
    let mut clock = START;
    for round in 0..6 {
        let (store, recovery) = Store::open(folder.path(), options()).unwrap();
        assert!(recovery.damage.is_empty() && recovery.lost_samples == 0, "{recovery:?}");
        same(&store, &model, 0, i64::MAX);
        for _ in 0..4 {
            append(&store, &mut model, &mut random, &mut clock, (3_000, 25, 55_000));
            let written = store.maintain(clock).unwrap().written;
            assert!(round == 0 || written < 3);
            same(&store, &model, 0, i64::MAX);
        }
        let from = START + i64::try_from(random.below(2_000_000)).unwrap();
        same(&store, &model, from, from + 700_000);
    }
    let (store, _) = Store::open(folder.path(), options()).unwrap();
    assert!(store.stats().segments > 5);
    store.flush().unwrap();
    same(&store, &model, 0, i64::MAX);
    drop(store);
    let (store, recovery) = Store::open(folder.path(), options()).unwrap();
    assert_eq!(recovery.samples, 0, "all of it is in segments");
    same(&store, &model, 0, i64::MAX);
}

#[test]
fn old_segments_go_by_time_and_by_size() {
    let folder = tempfile::tempdir().unwrap();
    let few = Options { retention_ms: 1_800_000, ..options() };
    let (store, _) = Store::open(folder.path(), few).unwrap();
    let mut model = Memory::default();
    let (mut random, mut clock) = (Random(5), START);
    let mut removed = 0;
    for _ in 0..20 {
        append(&store, &mut model, &mut random, &mut clock, (2_000, 10, 50_000));
        removed += store.maintain(clock).unwrap().removed;
    }
    let stats = store.stats();
    assert!(removed > 0 && stats.segments <= 4, "{removed} {stats:?}");
    assert!(store.contents().oldest_ms.unwrap() >= clock - 1_800_000 - 600_000);
    drop(store);
    let small = Options { retention_bytes: stats.log_bytes + 1_000, ..options() };
    let (store, _) = Store::open(folder.path(), small).unwrap();
    assert!(store.maintain(clock).unwrap().removed > 0);
}

#[test]
fn series_without_samples_are_forgotten_and_their_numbers_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path(), options()).unwrap();
    let old = store.resolve(&labels(1)).unwrap();
    store.append(&[(old, Sample { at_ms: START, value: 1.0 })]);
    let now = START + 3_000_000;
    store.append_labelled(&[(labels(2), Sample { at_ms: now, value: 1.0 })]);
    assert_eq!(store.maintain(now).unwrap().forgotten, 1);
    let appended = store.append(&[(old, Sample { at_ms: now, value: 1.0 })]);
    assert_eq!(appended.unknown, [old]);
    assert_eq!(store.stats().series, 1);
    assert_eq!(store.label_values("instance", &[], 0, i64::MAX).unwrap(), ["i1", "i2"]);
}

#[test]
fn two_processes_cannot_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, _) = Store::open(folder.path(), options()).unwrap();
    assert!(matches!(Store::open(folder.path(), options()), Err(OpenError::Locked(_))));
}
