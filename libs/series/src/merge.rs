//! Reads what is partly in segments and partly in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use ops_samples::{Labels, Sample};

use crate::filter::Filter;
use crate::head::Series;
use crate::segment::Segment;
use crate::store::damaged;
use crate::{Select, SelectError, Selection, Want};

/// Reads the segments, and of memory what is not older than `published_ms`.
pub(crate) fn select(
    segments: &[Arc<Segment>],
    published_ms: i64,
    head: impl FnOnce() -> Vec<Arc<Series>>,
    select: &Select<'_>,
) -> Result<Selection, SelectError> {
    let mut merged = Merged { series: BTreeMap::new(), samples: 0, select };
    for segment in segments {
        let mut filter = Filter::new(select.matchers);
        let range = (select.after_ms, select.until_ms);
        let mut full = false;
        let read = segment.series(
            |labels| filter.takes(labels),
            |labels, places| {
                if full {
                    return Ok(());
                }
                let of = merged.of(labels);
                let before = of.len();
                segment.visit(places, range, |sample| take(of, sample, select.want))?;
                let more = of.len() - before;
                full = !merged.count(more);
                Ok(())
            },
        );
        read.map_err(|source| damaged(segment, source))?;
        if full {
            return Err(SelectError::TooManySamples(select.max_samples));
        }
    }
    let after_ms = select.after_ms.max(published_ms - 1);
    for series in head() {
        let data = series.data();
        if data.last().is_none_or(|it| it.at_ms <= after_ms) {
            continue;
        }
        let of = merged.of(&series.labels);
        let before = of.len();
        data.visit(after_ms, select.until_ms, |sample| take(of, sample, select.want));
        let more = of.len() - before;
        if !merged.count(more) {
            return Err(SelectError::TooManySamples(select.max_samples));
        }
    }
    Ok(merged.finish())
}

/// Keeps a sample that is newer than those before.
fn take(samples: &mut Vec<Sample>, sample: Sample, want: Want) {
    match (want, samples.first_mut()) {
        (Want::Newest, Some(kept)) => *kept = sample,
        _ => samples.push(sample),
    }
}

struct Merged<'a> {
    series: BTreeMap<Labels, Vec<Sample>>,
    samples: usize,
    select: &'a Select<'a>,
}

impl Merged<'_> {
    fn of(&mut self, labels: &Labels) -> &mut Vec<Sample> {
        self.series.entry(labels.clone()).or_default()
    }

    /// Counts what was read; false when it is too much.
    fn count(&mut self, more: usize) -> bool {
        self.samples += more;
        self.samples <= self.select.max_samples
    }

    fn finish(self) -> Selection {
        let mut selection = Selection::default();
        for (labels, samples) in self.series {
            selection.begin(labels);
            samples.into_iter().for_each(|sample| selection.push(sample));
            selection.end();
        }
        selection
    }
}
