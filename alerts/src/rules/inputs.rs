//! Whether what a rule reads is there: a result that is missing because the data is missing says nothing.

use std::collections::BTreeMap;

use ops_promql::{Query, Selector, VectorSample};
use ops_samples::Labels;
use ops_series::Matcher;

use super::{Backend, Life};

/// What became of the series that a rule reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inputs {
    /// They are there.
    Live,
    /// They were there and are not, and nothing says that this is on purpose.
    Gone,
    /// They were taken away on purpose.
    Ended,
    /// No trace of any within the last hour.
    Unknown,
}

/// Looks at the inputs of one rule at one time; looks at each selector once.
pub(crate) struct Look<'a> {
    backend: &'a dyn Backend,
    at_ms: i64,
    lives: BTreeMap<usize, Vec<(Labels, Life)>>,
}

impl<'a> Look<'a> {
    pub(crate) fn new(backend: &'a dyn Backend, at_ms: i64) -> Self {
        Self { backend, at_ms, lives: BTreeMap::new() }
    }

    /// Judges the inputs that fit `labels`, those of an alert without what its rule adds; with `None`, all of them.
    pub(crate) fn judge(&mut self, query: &Query, labels: Option<&Labels>) -> Result<Inputs, String> {
        let mut sum = Inputs::Unknown;
        for (at, selector) in query.reads().selectors.iter().enumerate() {
            // Being asked whether it is there at all, its absence is an answer.
            if selector.in_absent {
                continue;
            }
            sum = match (sum, self.selector(at, selector, labels)?) {
                (_, Inputs::Gone) => return Ok(Inputs::Gone),
                (Inputs::Ended, _) | (_, Inputs::Ended) => Inputs::Ended,
                (Inputs::Live, _) | (_, Inputs::Live) => Inputs::Live,
                (Inputs::Unknown | Inputs::Gone, Inputs::Unknown) => Inputs::Unknown,
            };
        }
        Ok(sum)
    }

    fn selector(
        &mut self,
        at: usize,
        selector: &Selector,
        labels: Option<&Labels>,
    ) -> Result<Inputs, String> {
        if !self.lives.contains_key(&at) {
            let lives = self.backend.lives(&selector.matchers, self.at_ms - selector.offset_ms)?;
            self.lives.insert(at, lives);
        }
        let all = self.lives.get(&at).map(Vec::as_slice).unwrap_or_default();
        let fits = |series: &&(Labels, Life)| labels.is_none_or(|labels| fits(&series.0, labels));
        let mut series: Vec<&(Labels, Life)> = all.iter().filter(fits).collect();
        if series.is_empty() {
            // The alert's labels are not the series': they were aggregated away or made anew.
            series = all.iter().collect();
        }
        if series.is_empty() {
            return Ok(Inputs::Unknown);
        }
        if series.iter().any(|(_, life)| *life == Life::Live) {
            return Ok(Inputs::Live);
        }
        if series.iter().any(|(_, life)| *life == Life::Silent) {
            return Ok(Inputs::Gone);
        }
        for (series, _) in series {
            if self.scrape_fails(series)? {
                return Ok(Inputs::Gone);
            }
        }
        Ok(Inputs::Ended)
    }

    /// Whether the target that the series came from is there and does not answer.
    fn scrape_fails(&self, series: &Labels) -> Result<bool, String> {
        let (Some(job), Some(instance)) = (series.get("job"), series.get("instance")) else {
            return Ok(false);
        };
        let matchers = [("job", job), ("instance", instance)].map(|(name, it)| Matcher::equal(name, it));
        let conditions: Vec<String> = matchers.iter().map(ToString::to_string).collect();
        let text = format!("up{{{}}} == 0", conditions.join(","));
        let query = Query::parse(&text).map_err(|error| error.to_string())?;
        let failing: Vec<VectorSample> = self.backend.instant(&query, self.at_ms)?;
        Ok(!failing.is_empty())
    }
}

/// Whether a series can have led to an alert: no label of both differs.
fn fits(series: &Labels, alert: &Labels) -> bool {
    let mut shared = false;
    for (name, value) in alert {
        match series.get(name) {
            Some(own) if own != value => return false,
            Some(_) => shared = true,
            None => {}
        }
    }
    shared || alert.is_empty()
}
