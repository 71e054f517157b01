use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ops_samples::{Labels, Sample};

use crate::append::Touched;
use crate::disk::Disk;
use crate::filter::Filter;
use crate::head::Head;
use crate::merge;
use crate::segment::Segment;
use crate::series::Fate;
use crate::{
    AppendError, Appended, Contents, Matcher, Options, Select, SelectError, Selection, SeriesRef, Source,
    Stats,
};

/// The store of series. Cheap to clone; clones share it.
#[derive(Clone, Debug)]
pub struct Store(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) options: Options,
    head: RwLock<Head>,
    /// Samples older than this are no longer taken: they are or will be in segments.
    pub(crate) sealed_ms: AtomicI64,
    pub(crate) disk: Option<Disk>,
    counters: Counters,
}

/// What happened since the process began.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    accepted: AtomicU64,
    duplicate: AtomicU64,
    too_old: AtomicU64,
    too_many: AtomicU64,
    unlogged: AtomicU64,
}

impl Store {
    /// A store that keeps nothing on disk.
    #[must_use]
    pub fn in_memory(options: Options) -> Self {
        Self::with(options, Head::default(), i64::MIN, None)
    }

    pub(crate) fn with(options: Options, head: Head, sealed_ms: i64, disk: Option<Disk>) -> Self {
        Self(Arc::new(Inner {
            options,
            head: RwLock::new(head),
            sealed_ms: AtomicI64::new(sealed_ms),
            disk,
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
        let number = head.insert(labels);
        if let Some(disk) = &self.0.disk {
            disk.define(number, labels);
        }
        Ok(SeriesRef(number))
    }

    /// Adds samples.
    pub fn append(&self, samples: &[(SeriesRef, Sample)]) -> Appended {
        let mut appended = Appended::default();
        let mut touched = Touched::default();
        let head = self.head();
        // Held until the end, so that the log has what memory has.
        let mut log = self.0.disk.as_ref().map(Disk::log);
        let mut newest_ms = i64::MIN;
        let sealed_ms = self.0.sealed_ms.load(Ordering::Relaxed);
        for (number, sample) in samples {
            let Some(series) = head.get(number.0) else {
                appended.unknown.push(*number);
                continue;
            };
            let mut data = series.data();
            let newest = data.last().map_or(i64::MIN, |it| it.at_ms);
            let oldest = newest.saturating_sub(self.0.options.out_of_order_ms).max(sealed_ms);
            let fate = data.append(*sample, oldest, self.0.options.segment_ms);
            match fate {
                Fate::Changed | Fate::Same => {
                    touched.note(series.name, fate == Fate::Changed);
                    appended.accepted += 1;
                    newest_ms = newest_ms.max(sample.at_ms);
                    if let Some(log) = &mut log {
                        log.writer.sample(number.0, *sample);
                    }
                }
                Fate::Duplicate => appended.repeated += 1,
                Fate::Conflict => appended.duplicate += 1,
                Fate::TooOld => appended.too_old += 1,
            }
        }
        if let Some(log) = log.as_mut().filter(|_| appended.accepted > 0)
            && log.write(newest_ms).is_err()
        {
            self.0.counters.unlogged.fetch_add(appended.accepted as u64, Ordering::Relaxed);
        }
        drop(log);
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
        let published = self.0.disk.as_ref().map(Disk::segments);
        let segments = within(published.as_deref(), after_ms, until_ms);
        let all = [Vec::new()];
        let selectors = if selectors.is_empty() { &all } else { selectors };
        for matchers in selectors {
            for segment in &segments {
                let mut filter = Filter::new(matchers);
                let shown = segment.series(
                    |labels| filter.takes(labels),
                    |labels, places| {
                        if places.iter().any(|it| it.last_ms > after_ms && it.first_ms <= until_ms) {
                            show(labels);
                        }
                        Ok(())
                    },
                );
                shown.map_err(|source| damaged(segment, source))?;
            }
            for series in self.head().select(matchers) {
                let data = series.data();
                let first = data.first_ms();
                if data.last().is_some_and(|it| it.at_ms > after_ms) && first <= until_ms {
                    drop(data);
                    show(&series.labels);
                }
            }
        }
        Ok(())
    }

    /// What it counts as it goes.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.0.counters;
        let mut stats = Stats {
            series: self.head().len(),
            accepted: count(&counters.accepted),
            duplicate: count(&counters.duplicate),
            too_old: count(&counters.too_old),
            too_many: count(&counters.too_many),
            unlogged: count(&counters.unlogged),
            ..Stats::default()
        };
        if let Some(disk) = &self.0.disk {
            disk.describe(&mut stats);
        }
        stats
    }

    /// What is in memory, and which metrics take most of it. This looks at every series.
    #[must_use]
    pub fn contents(&self) -> Contents {
        let head = self.head();
        let mut contents = Contents { largest: head.largest(10), ..Contents::default() };
        for (_, series) in head.all() {
            let data = series.data();
            contents.chunks += data.chunks();
            contents.chunk_bytes += data.bytes();
            if let Some(last) = data.last() {
                contents.newest_ms = contents.newest_ms.max(Some(last.at_ms));
                let first = data.first_ms();
                contents.oldest_ms = Some(contents.oldest_ms.map_or(first, |it| it.min(first)));
            }
        }
        drop(head);
        let segments = self.0.disk.as_ref().map(Disk::segments);
        let written = segments.as_deref().and_then(|all| all.first()).map(|it| it.start_ms);
        contents.oldest_ms = written.into_iter().chain(contents.oldest_ms).min();
        contents
    }

    /// The log has caught up with what it missed.
    pub(crate) fn all_logged(&self) {
        self.0.counters.unlogged.store(0, Ordering::Relaxed);
    }

    fn count(&self, appended: &Appended) {
        let counters = &self.0.counters;
        counters.accepted.fetch_add(appended.accepted as u64, Ordering::Relaxed);
        counters.duplicate.fetch_add(appended.duplicate as u64, Ordering::Relaxed);
        counters.too_old.fetch_add(appended.too_old as u64, Ordering::Relaxed);
    }

    pub(crate) fn head(&self) -> RwLockReadGuard<'_, Head> {
        self.0.head.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn head_mut(&self) -> RwLockWriteGuard<'_, Head> {
        self.0.head.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Store {
    fn select(&self, select: &Select<'_>) -> Result<Selection, SelectError> {
        // Held until the end: what moves into a segment meanwhile would be seen in neither place.
        let published = self.0.disk.as_ref().map(Disk::segments);
        let segments = within(published.as_deref(), select.after_ms, select.until_ms);
        if let Some(last) = segments.last() {
            // What is published in segments may still be in memory too.
            return merge::select(&segments, last.end_ms, || self.head().select(select.matchers), select);
        }
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

/// The segments that have samples in the range, oldest first.
fn within(all: Option<&Vec<Arc<Segment>>>, after_ms: i64, until_ms: i64) -> Vec<Arc<Segment>> {
    let all = all.into_iter().flatten();
    all.filter(|it| it.end_ms > after_ms && it.start_ms <= until_ms).cloned().collect()
}

pub(crate) fn damaged(segment: &Segment, source: std::io::Error) -> SelectError {
    SelectError::Io { file: segment.path.display().to_string(), source }
}
