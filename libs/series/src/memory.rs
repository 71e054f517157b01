use std::collections::BTreeMap;

use ops_samples::{Labels, Sample};

use crate::{Select, SelectError, Selection, Source, Want};

/// A few series in memory, for the tests of rules and expressions; every select looks at all of them.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    series: BTreeMap<Labels, Vec<Sample>>,
}

impl Memory {
    /// Adds a sample; one at the same time is replaced.
    pub fn push(&mut self, labels: &Labels, sample: Sample) {
        let samples = self.series.entry(labels.clone()).or_default();
        let at = samples.partition_point(|it| it.at_ms < sample.at_ms);
        match samples.get_mut(at) {
            Some(same) if same.at_ms == sample.at_ms => *same = sample,
            _ => samples.insert(at, sample),
        }
    }
}

impl Source for Memory {
    fn select(&self, select: &Select<'_>) -> Result<Selection, SelectError> {
        let mut selection = Selection::default();
        for (labels, samples) in &self.series {
            if !select.matchers.iter().all(|matcher| matcher.matches_labels(labels)) {
                continue;
            }
            let start = samples.partition_point(|it| it.at_ms <= select.after_ms);
            let end = samples.partition_point(|it| it.at_ms <= select.until_ms);
            let mut within = samples.get(start..end).unwrap_or_default();
            if select.want == Want::Newest {
                within = within.last().map(std::slice::from_ref).unwrap_or_default();
            }
            if selection.samples() + within.len() > select.max_samples {
                return Err(SelectError::TooManySamples(select.max_samples));
            }
            selection.begin(labels.clone());
            within.iter().for_each(|sample| selection.push(*sample));
            selection.end();
        }
        Ok(selection)
    }
}
