//! One series of the head: full chunks, the one that grows, and what came late.

use ops_samples::{Labels, Sample};

use crate::chunk::{Chunk, OpenChunk};
use crate::{Selection, Want};

/// What became of one appended sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Taken; another value than the one before.
    Changed,
    /// Taken; the same value as the one before.
    Same,
    /// It was there already.
    Duplicate,
    /// Another value is there at that time.
    Conflict,
    /// Older than may be taken.
    TooOld,
}

/// Samples of a series, newest last. There are many of these, and it is as small as it can be.
#[derive(Debug)]
pub(crate) struct Data {
    /// The newest; before the first at [`NEVER`].
    last: Sample,
    full: Vec<Chunk>,
    open: Option<OpenChunk>,
    /// What came out of order, oldest first; few series have any.
    late: Option<Box<Late>>,
}

#[derive(Debug, Default)]
struct Late(Vec<Sample>);

/// The time of no sample.
const NEVER: i64 = i64::MIN;

impl Default for Data {
    fn default() -> Self {
        Self { last: Sample { at_ms: NEVER, value: 0.0 }, full: Vec::new(), open: None, late: None }
    }
}

impl Data {
    /// Takes a sample that is not older than `oldest_ms`. Chunks end where a window of `window_ms` does.
    pub(crate) fn append(&mut self, sample: Sample, oldest_ms: i64, window_ms: i64) -> Fate {
        let Some(last) = self.last() else {
            if sample.at_ms < oldest_ms {
                return Fate::TooOld;
            }
            self.push(sample, window_ms);
            return Fate::Changed;
        };
        let same = last.value.to_bits() == sample.value.to_bits();
        if sample.at_ms > last.at_ms {
            self.push(sample, window_ms);
            return if same { Fate::Same } else { Fate::Changed };
        }
        if sample.at_ms == last.at_ms {
            return if same { Fate::Duplicate } else { Fate::Conflict };
        }
        if sample.at_ms < oldest_ms {
            return Fate::TooOld;
        }
        self.insert(sample)
    }

    /// The newest sample that ever came.
    #[inline]
    pub(crate) fn last(&self) -> Option<Sample> {
        (self.last.at_ms != NEVER).then_some(self.last)
    }

    /// How many chunks there are.
    pub(crate) fn chunks(&self) -> usize {
        self.full.len() + usize::from(self.open.is_some())
    }

    fn late(&self) -> &[Sample] {
        self.late.as_ref().map_or(&[], |it| &it.0)
    }

    fn push(&mut self, sample: Sample, window_ms: i64) {
        let last = std::mem::replace(&mut self.last, sample);
        let window = |at_ms: i64| at_ms.div_euclid(window_ms);
        match &mut self.open {
            Some(open) if !open.is_full() && window(open.first_ms()) == window(sample.at_ms) => {
                open.push(last, sample);
            }
            open => {
                if let Some(ended) = open.replace(OpenChunk::new(sample)) {
                    self.full.reserve_exact(1);
                    self.full.push(ended.finish(last.at_ms));
                }
            }
        }
    }

    /// Takes a sample that is older than the newest.
    fn insert(&mut self, sample: Sample) -> Fate {
        let mut there = None;
        self.visit(sample.at_ms - 1, sample.at_ms, |it| there = Some(it));
        match there {
            Some(it) if it.value.to_bits() == sample.value.to_bits() => Fate::Duplicate,
            Some(_) => Fate::Conflict,
            None => {
                let late = &mut self.late.get_or_insert_default().0;
                late.insert(late.partition_point(|it| it.at_ms < sample.at_ms), sample);
                Fate::Changed
            }
        }
    }

    /// Time of the oldest sample; far in the future when there is none.
    pub(crate) fn first_ms(&self) -> i64 {
        let chunk = self.full.first().map(|it| it.first_ms);
        let open = self.open.as_ref().map(|it| it.first_ms());
        let late = self.late().first().map(|it| it.at_ms);
        [chunk, open, late].into_iter().flatten().min().unwrap_or(i64::MAX)
    }

    /// Copies what is older than `end_ms` as chunks, oldest first; late samples are put in their places.
    pub(crate) fn copy_before(&self, end_ms: i64) -> Vec<Chunk> {
        let old = |it: &&Chunk| it.first_ms < end_ms;
        let open = self.open.as_ref().filter(|it| it.first_ms() < end_ms);
        if self.late().first().is_none_or(|it| it.at_ms >= end_ms) {
            let open = open.map(|it| it.clone().finish(self.last.at_ms));
            return self.full.iter().filter(old).cloned().chain(open).collect();
        }
        let mut chunks: Vec<Chunk> = Vec::new();
        let mut current: Option<OpenChunk> = None;
        let mut last = self.last;
        self.visit(i64::MIN, end_ms - 1, |sample| {
            let before = std::mem::replace(&mut last, sample);
            match &mut current {
                Some(chunk) if !chunk.is_full() => chunk.push(before, sample),
                chunk => {
                    let full = chunk.replace(OpenChunk::new(sample));
                    chunks.extend(full.map(|it| it.finish(before.at_ms)));
                }
            }
        });
        chunks.extend(current.map(|it| it.finish(last.at_ms)));
        chunks
    }

    /// Forgets what is older than `end_ms`. Chunks end where windows do, so none is cut.
    pub(crate) fn forget_before(&mut self, end_ms: i64) {
        self.full.retain(|it| it.first_ms >= end_ms);
        self.full.shrink_to_fit();
        self.open = self.open.take().filter(|it| it.first_ms() >= end_ms);
        if let Some(late) = &mut self.late {
            late.0.retain(|it| it.at_ms >= end_ms);
        }
        self.late = self.late.take().filter(|it| !it.0.is_empty());
    }

    /// Whether it holds no sample.
    pub(crate) fn is_empty(&self) -> bool {
        self.full.is_empty() && self.open.is_none() && self.late.is_none()
    }

    /// Bytes of its chunks.
    pub(crate) fn bytes(&self) -> usize {
        let full: usize = self.full.iter().map(|it| it.bytes.len()).sum();
        full + self.open.as_ref().map_or(0, |it| it.len()) + size_of_val(self.late())
    }

    /// Shows the samples in (`after_ms`, `until_ms`], oldest first.
    pub(crate) fn visit(&self, after_ms: i64, until_ms: i64, mut show: impl FnMut(Sample)) {
        let all = self.late();
        let start = all.partition_point(|it| it.at_ms <= after_ms);
        let end = all.partition_point(|it| it.at_ms <= until_ms);
        let mut late = all.get(start..end).unwrap_or_default().iter().peekable();
        let mut in_order = |sample: Sample| {
            while let Some(earlier) = late.next_if(|it| it.at_ms < sample.at_ms) {
                show(*earlier);
            }
            show(sample);
        };
        let within = |it: &Sample| it.at_ms > after_ms && it.at_ms <= until_ms;
        let first = self.full.partition_point(|it| it.last_ms <= after_ms);
        for chunk in self.full.iter().skip(first).take_while(|it| it.first_ms <= until_ms) {
            chunk.iter().filter(within).for_each(&mut in_order);
        }
        if let Some(open) = self.open.as_ref().filter(|it| it.first_ms() <= until_ms) {
            open.iter().filter(within).for_each(&mut in_order);
        }
        late.for_each(|it| show(*it));
    }

    /// Adds the series to a selection.
    pub(crate) fn select(
        &self,
        labels: &Labels,
        (after_ms, until_ms, want): (i64, i64, Want),
        selection: &mut Selection,
    ) {
        let Some(last) = self.last().filter(|it| it.at_ms > after_ms) else { return };
        if want == Want::Newest {
            let mut newest = Some(last);
            if last.at_ms > until_ms {
                newest = None;
                self.visit(after_ms, until_ms, |it| newest = Some(it));
            }
            if let Some(sample) = newest {
                selection.begin(labels.clone());
                selection.push(sample);
            }
            return;
        }
        selection.begin(labels.clone());
        self.visit(after_ms, until_ms, |it| selection.push(it));
        selection.end();
    }
}
