//! Random samples, in order and not, into the store and into a plain list; both must say the same.

use ops_samples::{Labels, STALE, Sample};
use ops_series::{Memory, Select, Selection, Source, Store, Want};

pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 24
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

pub(crate) fn labels(number: u64) -> Labels {
    let (name, instance, job) =
        (format!("m{}", number % 7), format!("i{number}"), format!("j{}", number % 3));
    Labels::new([("__name__", &name), ("instance", &instance), ("job", &job)]).unwrap()
}

fn value(random: &mut Random) -> f64 {
    match random.below(10) {
        0 => STALE,
        1 => f64::NAN,
        2 => f64::INFINITY,
        3..=6 => random.below(100) as f64,
        _ => random.below(1 << 40) as f64 / 1e3,
    }
}

/// Both hold the same, whatever part is asked for.
pub(crate) fn same(store: &Store, model: &Memory, from_ms: i64, until_ms: i64) {
    for want in [Want::All, Want::Newest] {
        let select = Select { matchers: &[], after_ms: from_ms, until_ms, want, max_samples: 100_000_000 };
        let (ours, theirs) = (sorted(store.select(&select).unwrap()), sorted(model.select(&select).unwrap()));
        assert_eq!(ours.len(), theirs.len(), "series in ({from_ms}, {until_ms}] {want:?}");
        for (our, their) in ours.iter().zip(&theirs) {
            assert_eq!(our, their, "in ({from_ms}, {until_ms}] {want:?}");
        }
    }
}

type Plain = Vec<(Labels, Vec<(i64, u64)>)>;

fn sorted(selection: Selection) -> Plain {
    let bits = |samples: &[Sample]| samples.iter().map(|it| (it.at_ms, it.value.to_bits())).collect();
    let mut all: Plain = selection.iter().map(|(labels, samples)| (labels.clone(), bits(samples))).collect();
    all.sort();
    all
}

/// Appends `count` random samples to both; the newest is a little after `*clock_ms`.
pub(crate) fn append(
    store: &Store,
    model: &mut Memory,
    random: &mut Random,
    clock_ms: &mut i64,
    (count, series, late_ms): (u64, u64, u64),
) {
    for _ in 0..count {
        *clock_ms += i64::try_from(random.below(400)).unwrap();
        let back = if random.below(4) == 0 { i64::try_from(random.below(late_ms)).unwrap() } else { 0 };
        let sample = Sample { at_ms: *clock_ms - back, value: value(random) };
        let labels = labels(random.below(series));
        let appended = store.append_labelled(&[(labels.clone(), sample)]);
        assert_eq!(appended.too_many + appended.unknown.len(), 0);
        if appended.accepted == 1 {
            model.push(&labels, sample);
        }
    }
}

#[test]
fn random_samples_are_read_as_they_were_written() {
    let mut random = Random(3);
    let options = ops_series::Options { segment_ms: 600_000, ..ops_series::Options::default() };
    let store = Store::in_memory(options);
    let mut model = Memory::default();
    let mut clock = 1_700_000_000_000;
    append(&store, &mut model, &mut random, &mut clock, (20_000, 30, 400_000));
    same(&store, &model, 0, i64::MAX);
    for _ in 0..50 {
        let from = 1_700_000_000_000 + i64::try_from(random.below(4_000_000)).unwrap();
        same(&store, &model, from, from + i64::try_from(random.below(1_000_000)).unwrap());
    }
}
