use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ops_samples::{Labels, Sample};

use crate::append::Touched;
use crate::head::Head;
use crate::series::Fate;
use crate::{
    AppendError, Appended, Matcher, Options, Select, SelectError, Selection, SeriesRef, Source, Stats,
};

/// The store of series. Cheap to clone; clones share it.
#[derive(Clone, Debug)]
pub struct Store(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) options: Options,
    head: RwLock<Head>,
    /// What is older is in segments and takes nothing more.
    pub(crate) sealed_ms: AtomicI64,
    pub(crate) counters: Counters,
}

/// What happened since the process began.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    accepted: AtomicU64,
    duplicate: AtomicU64,
    too_old: AtomicU64,
    too_many: AtomicU64,
}

impl Store {
    /// A store that keeps nothing on disk.
    #[must_use]
    pub fn in_memory(options: Options) -> Self {
        Self(Arc::new(Inner {
            options,
            head: RwLock::default(),
            sealed_ms: AtomicI64::new(i64::MIN),
            counters: Counters::default(),
        }))
    }

    /// The number of a series, which is made when it is not there.
    ///
    /// # Errors
    /// There are too many series.
    pub fn resolve(&self, labels: &Labels) -> Result<SeriesRef, AppendError> {
        if let Some(number) = self.head().find(labels) {
            return Ok(SeriesRef(number));
        }
        let mut head = self.head_mut();
        if let Some(number) = head.find(labels) {
            return Ok(SeriesRef(number));
        }
        let limit = self.0.options.max_series;
        if head.len() >= limit {
            return Err(AppendError::TooManySeries { limit });
        }
        Ok(SeriesRef(head.insert(labels)))
    }

    /// Adds samples.
    pub fn append(&self, samples: &[(SeriesRef, Sample)]) -> Appended {
        let mut appended = Appended::default();
        let mut touched = Touched::default();
        let head = self.head();
        let sealed_ms = self.0.sealed_ms.load(Ordering::Relaxed);
        for (number, sample) in samples {
            let Some(series) = head.get(number.0) else {
                appended.unknown.push(*number);
                continue;
            };
            let mut data = series.data();
            let newest = data.last.map_or(i64::MIN, |it| it.at_ms);
            let oldest = newest.saturating_sub(self.0.options.out_of_order_ms).max(sealed_ms);
            match data.append(*sample, oldest, self.0.options.segment_ms) {
                Fate::Changed => {
                    touched.note(series.name, true);
                    appended.accepted += 1;
                }
                Fate::Same => {
                    touched.note(series.name, false);
                    appended.accepted += 1;
                }
                Fate::Duplicate => appended.repeated += 1,
                Fate::Conflict => appended.duplicate += 1,
                Fate::TooOld => appended.too_old += 1,
            }
        }
        for (name, changed) in touched.iter() {
            let Some(name) = head.name(name) else { continue };
            if changed {
                appended.changed.push(name.clone());
            }
            appended.touched.push(name);
        }
        drop(head);
        self.count(&appended);
        appended
    }

    /// Adds samples by the labels of their series.
    pub fn append_labelled(&self, samples: &[(Labels, Sample)]) -> Appended {
        let mut numbered = Vec::with_capacity(samples.len());
        let mut too_many = 0;
        for (labels, sample) in samples {
            match self.resolve(labels) {
                Ok(number) => numbered.push((number, *sample)),
                Err(AppendError::TooManySeries { .. }) => too_many += 1,
            }
        }
        let mut appended = self.append(&numbered);
        appended.too_many = too_many;
        self.0.counters.too_many.fetch_add(too_many as u64, Ordering::Relaxed);
        appended
    }

    /// Names of the labels of series that meet any of `selectors` (none: all series) and have samples in the range.
    ///
    /// # Errors
    /// A disk that fails.
    pub fn label_names(
        &self,
        selectors: &[Vec<Matcher>],
        after_ms: i64,
        until_ms: i64,
    ) -> Result<Vec<String>, SelectError> {
        let mut names: BTreeSet<String> = BTreeSet::new();
        self.visit(selectors, after_ms, until_ms, |labels| {
            for (name, _) in labels {
                if !names.contains(name) {
                    names.insert(name.to_owned());
                }
            }
        })?;
        Ok(names.into_iter().collect())
    }

    /// Values of a label of series that meet any of `selectors` (none: all series) and have samples in the range.
    ///
    /// # Errors
    /// A disk that fails.
    pub fn label_values(
        &self,
        name: &str,
        selectors: &[Vec<Matcher>],
        after_ms: i64,
        until_ms: i64,
    ) -> Result<Vec<String>, SelectError> {
        let mut values: BTreeSet<String> = BTreeSet::new();
        self.visit(selectors, after_ms, until_ms, |labels| {
            if let Some(value) = labels.get(name).filter(|it| !values.contains(*it)) {
                values.insert(value.to_owned());
            }
        })?;
        Ok(values.into_iter().collect())
    }

    /// The series that meet any of `selectors` (none: all) and have samples in the range, ordered by labels; and whether
    /// there are more than `limit`.
    ///
    /// # Errors
    /// A disk that fails.
    pub fn series(
        &self,
        selectors: &[Vec<Matcher>],
        after_ms: i64,
        until_ms: i64,
        limit: usize,
    ) -> Result<(Vec<Labels>, bool), SelectError> {
        let mut found: BTreeSet<Labels> = BTreeSet::new();
        self.visit(selectors, after_ms, until_ms, |labels| {
            found.insert(labels.clone());
        })?;
        let more = found.len() > limit;
        Ok((found.into_iter().take(limit).collect(), more))
    }

    fn visit(
        &self,
        selectors: &[Vec<Matcher>],
        after_ms: i64,
        until_ms: i64,
        mut show: impl FnMut(&Labels),
    ) -> Result<(), SelectError> {
        let all = [Vec::new()];
        let selectors = if selectors.is_empty() { &all } else { selectors };
        for matchers in selectors {
            for series in self.head().select(matchers) {
                let data = series.data();
                let first = data.first_ms();
                if data.last.is_some_and(|it| it.at_ms > after_ms) && first <= until_ms {
                    drop(data);
                    show(&series.labels);
                }
            }
        }
        Ok(())
    }

    /// What there is and what happened.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let head = self.head();
        let mut stats = Stats { series: head.len(), largest: head.largest(10), ..Stats::default() };
        for (_, series) in head.all() {
            let data = series.data();
            stats.chunks += data.full.len() + usize::from(data.open.is_some());
            stats.chunk_bytes += data.bytes();
            if let Some(last) = data.last {
                stats.newest_ms = stats.newest_ms.max(Some(last.at_ms));
                let first = data.first_ms();
                stats.oldest_ms = Some(stats.oldest_ms.map_or(first, |it| it.min(first)));
            }
        }
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.0.counters;
        stats.accepted = count(&counters.accepted);
        stats.duplicate = count(&counters.duplicate);
        stats.too_old = count(&counters.too_old);
        stats.too_many = count(&counters.too_many);
        stats
    }

    fn count(&self, appended: &Appended) {
        let counters = &self.0.counters;
        counters.accepted.fetch_add(appended.accepted as u64, Ordering::Relaxed);
        counters.duplicate.fetch_add(appended.duplicate as u64, Ordering::Relaxed);
        counters.too_old.fetch_add(appended.too_old as u64, Ordering::Relaxed);
    }

    fn head(&self) -> RwLockReadGuard<'_, Head> {
        self.0.head.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn head_mut(&self) -> RwLockWriteGuard<'_, Head> {
        self.0.head.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Store {
    fn select(&self, select: &Select<'_>) -> Result<Selection, SelectError> {
        let series = self.head().select(select.matchers);
        let mut selection = Selection::default();
        let range = (select.after_ms, select.until_ms, select.want);
        for series in series {
            series.data().select(&series.labels, range, &mut selection);
            if selection.samples() > select.max_samples {
                return Err(SelectError::TooManySamples(select.max_samples));
            }
        }
        Ok(selection)
    }
}
