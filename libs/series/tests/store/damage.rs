//! Files that were cut off or altered: never a panic, and no more is lost than what was hit.

use std::fs;
use std::path::{Path, PathBuf};

use ops_samples::Sample;
use ops_series::{Memory, Select, Source, Store, Want};

use crate::disk::options;
use crate::model::{Random, append, labels, same};

fn file(folder: &Path, part: &str, ending: &str) -> PathBuf {
    let mut all: Vec<PathBuf> =
        fs::read_dir(folder.join(part)).unwrap().map(|it| it.unwrap().path()).collect();
    all.retain(|it| it.to_str().unwrap().ends_with(ending));
    all.sort();
    all.into_iter().max_by_key(|it| it.metadata().unwrap().len()).unwrap()
}

fn count(store: &Store) -> usize {
    let select =
        Select { matchers: &[], after_ms: 0, until_ms: i64::MAX, want: Want::All, max_samples: 1 << 30 };
    store.select(&select).map_or(0, |it| it.samples())
}

/// A store of `batches` of five samples each, and the log that it wrote.
fn written(folder: &Path, batches: i64) -> Vec<u8> {
    let (store, _) = Store::open(folder, options()).unwrap();
    for at in 0..batches {
        let batch: Vec<_> =
            (0..5).map(|it| (labels(it), Sample { at_ms: 1_000 + at, value: at as f64 })).collect();
        store.append_labelled(&batch);
    }
    drop(store);
    fs::read(file(folder, "log", ".log")).unwrap()
}

fn opened_with(log: &[u8]) -> (usize, ops_series::Recovery) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("log")).unwrap();
    fs::write(folder.path().join("log/0000000001.log"), log).unwrap();
    let (store, recovery) = Store::open(folder.path(), options()).unwrap();
    (count(&store), recovery)
}

#[test]
fn a_log_that_was_cut_off_anywhere_has_all_batches_before() {
    let folder = tempfile::tempdir().unwrap();
    let log = written(folder.path(), 20);
    let mut before = 0;
    for end in 0..=log.len() {
        let (found, _) = opened_with(&log[..end]);
        assert!(found >= before && found % 5 == 0, "{found} after {before} at {end}");
        before = found;
    }
    assert_eq!(before, 100);
}

#[test]
fn a_flipped_bit_costs_a_batch_or_a_series_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let log = written(folder.path(), 20);
    for at in 8..log.len() {
        let mut log = log.clone();
        log[at] ^= 0x10;
        let (found, recovery) = opened_with(&log);
        assert!((80..100).contains(&found), "{found} at {at}");
        assert!(!recovery.damage.is_empty() && recovery.lost_bytes > 0, "{recovery:?}");
    }
}

#[test]
fn rubbish_is_no_log_and_no_segment() {
    let mut random = Random(9);
    for length in [0, 1, 7, 8, 64, 100, 5_000] {
        let bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
        assert_eq!(opened_with(&bytes).0, 0);
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("segments")).unwrap();
        for name in ["0-600000.segment", "x.segment", "5-1.segment", "-600000-0.segment", "1-2.tmp"] {
            fs::write(folder.path().join("segments").join(name), &bytes).unwrap();
        }
        let (store, recovery) = Store::open(folder.path(), options()).unwrap();
        assert_eq!((count(&store), recovery.damage.len()), (0, 4), "{recovery:?}");
    }
}

#[test]
fn a_damaged_segment_is_told_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path(), options()).unwrap();
    let (mut random, mut clock, mut model) = (Random(2), 1_700_000_000_000, Memory::default());
    append(&store, &mut model, &mut random, &mut clock, (8_000, 12, 50_000));
    store.flush().unwrap();
    same(&store, &model, 0, i64::MAX);
    let all = count(&store);
    drop(store);
    let path = file(folder.path(), "segments", ".segment");
    let good = fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(good.len() / 150) {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let (store, recovery) = Store::open(folder.path(), options()).unwrap();
        // Either it is put aside as a whole, or one of its chunks says that it is damaged when it is read.
        let found = count(&store);
        assert!(found < all || at < 8, "a flipped bit at {at} was not noticed");
        assert!(!recovery.damage.is_empty() || found == 0 || at < 8, "at {at}: {found}");
        drop(store);
        let _ = fs::remove_file(path.with_extension("damaged"));
        fs::write(&path, &good).unwrap();
        fs::write(&path, &good[..at]).unwrap();
        let (store, recovery) = Store::open(folder.path(), options()).unwrap();
        assert!(count(&store) < all && !recovery.damage.is_empty());
        drop(store);
        let _ = fs::remove_file(path.with_extension("damaged"));
        fs::write(&path, &good).unwrap();
    }
    let (store, _) = Store::open(folder.path(), options()).unwrap();
    same(&store, &model, 0, i64::MAX);
}
