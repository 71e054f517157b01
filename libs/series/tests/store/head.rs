//! What is taken, what is refused, and what is told of it.

use ops_samples::{Labels, Sample};
use ops_series::{AppendError, MatchOp, Matcher, Options, Select, Source, Store, Want};

use crate::model::labels;

fn sample(at_ms: i64, value: f64) -> Sample {
    Sample { at_ms, value }
}

fn names(of: &[std::sync::Arc<str>]) -> Vec<&str> {
    of.iter().map(|it| &**it).collect()
}

#[test]
fn late_samples_are_taken_within_the_window_and_others_are_counted() {
    let store = Store::in_memory(Options { out_of_order_ms: 10_000, ..Options::default() });
    let up = labels(1);
    let add = |at_ms, value| store.append_labelled(&[(up.clone(), sample(at_ms, value))]);
    assert_eq!(add(100_000, 1.0).accepted, 1);
    assert_eq!(add(95_000, 2.0).accepted, 1);
    assert_eq!(add(95_000, 2.0).repeated, 1);
    assert_eq!(add(95_000, 3.0).duplicate, 1);
    assert_eq!(add(100_000, 1.0).repeated, 1);
    assert_eq!(add(100_000, 2.0).duplicate, 1);
    assert_eq!(add(89_999, 2.0).too_old, 1);
    let stats = store.stats();
    assert_eq!((stats.accepted, stats.duplicate, stats.too_old), (2, 2, 1));
}

#[test]
fn the_names_of_what_changed_are_told() {
    let store = Store::in_memory(Options::default());
    let (a, b) = (labels(1), labels(2));
    let both =
        |at_ms, x, y| store.append_labelled(&[(a.clone(), sample(at_ms, x)), (b.clone(), sample(at_ms, y))]);
    let first = both(1, 1.0, 1.0);
    assert_eq!((names(&first.changed), names(&first.touched)), (vec!["m1", "m2"], vec!["m1", "m2"]));
    let second = both(2, 1.0, 2.0);
    assert_eq!((names(&second.changed), names(&second.touched)), (vec!["m2"], vec!["m1", "m2"]));
}

#[test]
fn more_series_than_allowed_are_refused_and_counted() {
    let store = Store::in_memory(Options { max_series: 2, ..Options::default() });
    let all: Vec<(Labels, Sample)> = (0..5).map(|number| (labels(number), sample(1, 1.0))).collect();
    let appended = store.append_labelled(&all);
    assert_eq!((appended.accepted, appended.too_many, appended.refused()), (2, 3, 3));
    assert_eq!(store.resolve(&labels(9)), Err(AppendError::TooManySeries { limit: 2 }));
    assert_eq!(store.stats().too_many, 3);
}

#[test]
fn selectors_and_labels() {
    let store = Store::in_memory(Options::default());
    for number in 0..21 {
        store.append_labelled(&[(labels(number), sample(1_000, 1.0))]);
    }
    let matcher = |name: &str, op, value: &str| Matcher::new(name, op, value).unwrap();
    let count = |matchers: &[Matcher]| {
        let select =
            Select { matchers, after_ms: 0, until_ms: 2_000, want: Want::Newest, max_samples: 1_000 };
        store.select(&select).unwrap().len()
    };
    use MatchOp::{Equal, NotEqual, NotRegex, Regex};
    assert_eq!(count(&[matcher("__name__", Equal, "m1")]), 3);
    assert_eq!(count(&[matcher("__name__", Regex, "m[12]"), matcher("job", Equal, "j0")]), 2);
    assert_eq!(count(&[matcher("job", NotEqual, "j0")]), 14);
    assert_eq!(count(&[matcher("job", NotRegex, "j0|j1"), matcher("nothing", Equal, "")]), 7);
    assert_eq!(count(&[matcher("instance", Regex, ".*1")]), 2);
    assert_eq!(count(&[matcher("nothing", Regex, ".+")]), 0);
    assert_eq!(store.label_names(&[], 0, 2_000).unwrap(), ["__name__", "instance", "job"]);
    assert_eq!(store.label_values("job", &[], 0, 2_000).unwrap(), ["j0", "j1", "j2"]);
    let one = vec![matcher("instance", Equal, "i5")];
    assert_eq!(store.label_values("job", std::slice::from_ref(&one), 0, 2_000).unwrap(), ["j2"]);
    assert_eq!(store.series(&[one], 0, 2_000, 10).unwrap(), (vec![labels(5)], false));
    let (some, more) = store.series(&[], 0, 2_000, 4).unwrap();
    assert_eq!((some.len(), more), (4, true));
    assert!(store.series(&[], 5_000, 6_000, 4).unwrap().0.is_empty());
}

#[test]
fn too_much_at_once_is_refused() {
    let store = Store::in_memory(Options::default());
    for at_ms in 0..100 {
        store.append_labelled(&[(labels(1), sample(at_ms, 1.0))]);
    }
    let select = Select { matchers: &[], after_ms: -1, until_ms: 1_000, want: Want::All, max_samples: 99 };
    assert!(store.select(&select).is_err());
}

#[test]
fn reading_and_writing_at_once() {
    let store = Store::in_memory(Options::default());
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let store = &store;
            scope.spawn(move || {
                for at_ms in 0..2_000 {
                    let all: Vec<(Labels, Sample)> =
                        (0..20).map(|it| (labels(it + thread * 20), sample(at_ms, at_ms as f64))).collect();
                    assert_eq!(store.append_labelled(&all).accepted, 20);
                }
            });
        }
        for _ in 0..50 {
            let select = Select {
                matchers: &[],
                after_ms: -1,
                until_ms: 5_000,
                want: Want::All,
                max_samples: 1 << 30,
            };
            for (_, samples) in store.select(&select).unwrap().iter() {
                assert!(samples.windows(2).all(|pair| pair[0].at_ms + 1 == pair[1].at_ms));
            }
        }
    });
    assert_eq!(store.stats().accepted, 80_000);
}
