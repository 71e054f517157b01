//! Whether what a rule reads is there: a result that is missing because the data is missing says nothing.

use std::collections::{BTreeMap, HashSet};

use ops_promql::{Query, Selector, VectorSample};
use ops_samples::{Labels, NAME};
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

/// Something that was there and is looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    /// The labels that came from its series.
    pub(crate) labels: Labels,
    /// It is held: too little data is no reason to let it go.
    pub(crate) held: bool,
    /// It is held because the series with its own labels fell silent. That they are forgotten after an hour does not make
    /// the other series its own.
    pub(crate) own: bool,
}

/// Looks at the inputs of one rule at one time; looks at each selector once.
pub(crate) struct Look<'a> {
    backend: &'a dyn Backend,
    at_ms: i64,
    lives: BTreeMap<usize, Vec<(Labels, Life)>>,
    /// How many samples each series of a selector has in so many milliseconds.
    counts: BTreeMap<(usize, i64), Vec<VectorSample>>,
    /// Whether series with the labels of what was judged last are gone.
    pub(crate) own: bool,
    /// Whether they are gone for so long that they are forgotten.
    pub(crate) forgotten: bool,
}

impl<'a> Look<'a> {
    pub(crate) fn new(backend: &'a dyn Backend, at_ms: i64) -> Self {
        Self { backend, at_ms, lives: BTreeMap::new(), counts: BTreeMap::new(), own: false, forgotten: false }
    }

    /// Judges the inputs of what is looked for; with `None`, all of them.
    pub(crate) fn judge(&mut self, query: &Query, watch: Option<&Watch>) -> Result<Inputs, String> {
        let mut sum = Inputs::Unknown;
        let mut absent_only = true;
        (self.own, self.forgotten) = (false, false);
        for (at, selector) in query.reads().selectors.iter().enumerate() {
            // Being asked whether it is there at all, its absence is an answer.
            if selector.in_absent {
                continue;
            }
            absent_only = false;
            sum = match (sum, self.selector(at, selector, watch)?) {
                (_, Inputs::Gone) => return Ok(Inputs::Gone),
                (Inputs::Ended, _) | (_, Inputs::Ended) => Inputs::Ended,
                (Inputs::Live, _) | (_, Inputs::Live) => Inputs::Live,
                (Inputs::Unknown | Inputs::Gone, Inputs::Unknown) => Inputs::Unknown,
            };
        }
        // Without inputs nothing can be missing.
        Ok(if absent_only { Inputs::Live } else { sum })
    }

    fn selector(&mut self, at: usize, selector: &Selector, watch: Option<&Watch>) -> Result<Inputs, String> {
        if !self.lives.contains_key(&at) {
            let lives = self.backend.lives(&selector.matchers, self.at_ms - selector.offset_ms)?;
            self.lives.insert(at, lives);
        }
        let all = self.lives.get(&at).map(Vec::as_slice).unwrap_or_default();
        let fits = |series: &&(Labels, Life)| watch.is_none_or(|watch| fits(&series.0, &watch.labels));
        let mut series: Vec<(Labels, Life)> = all.iter().filter(fits).cloned().collect();
        let own = watch.is_some() && !series.is_empty();
        if series.is_empty() && watch.is_some_and(|watch| watch.own) {
            (self.own, self.forgotten) = (true, true);
            return Ok(Inputs::Gone);
        }
        if series.is_empty() {
            // The alert's labels are not the series': they were aggregated away or made anew.
            series = all.to_vec();
        }
        if series.is_empty() {
            return Ok(Inputs::Unknown);
        }
        if series.iter().any(|(_, life)| *life == Life::Live) {
            let held = watch.is_some_and(|watch| watch.held);
            if watch.is_none() || self.has_enough(at, selector, &series, held)? {
                return Ok(Inputs::Live);
            }
            self.own |= own;
            return Ok(Inputs::Gone);
        }
        if series.iter().any(|(_, life)| *life == Life::Silent) {
            self.own |= own;
            return Ok(Inputs::Gone);
        }
        for (series, _) in series {
            if self.scrape_fails(&series)? {
                self.own |= own;
                return Ok(Inputs::Gone);
            }
        }
        Ok(Inputs::Ended)
    }

    /// Whether a range holds enough for its function to say anything. A series counts as there for the look-back; a shorter
    /// range is empty before that. One sample is too few for a rate, unless there never are more.
    fn has_enough(
        &mut self,
        at: usize,
        selector: &Selector,
        series: &[(Labels, Life)],
        held: bool,
    ) -> Result<bool, String> {
        let Some(range_ms) = selector.range_ms else { return Ok(true) };
        let once = self.most(at, selector, range_ms, series)?;
        if once != 1.0 {
            return Ok(once > 1.0);
        }
        let twice = self.most(at, selector, range_ms.saturating_mul(2), series)?;
        if twice > 2.0 || (held && twice < 2.0) {
            return Ok(false);
        }
        Ok(self.most(at, selector, range_ms.saturating_mul(10), series)? <= 12.0)
    }

    /// The most samples that one of `series` has within a range.
    fn most(
        &mut self,
        at: usize,
        selector: &Selector,
        range_ms: i64,
        series: &[(Labels, Life)],
    ) -> Result<f64, String> {
        if !self.counts.contains_key(&(at, range_ms)) {
            let conditions: Vec<String> = selector.matchers.iter().map(ToString::to_string).collect();
            let (conditions, offset_ms) = (conditions.join(","), selector.offset_ms);
            let text = format!("count_over_time({{{conditions}}}[{range_ms}ms])");
            let query = Query::parse(&text).map_err(|error| error.to_string())?;
            let counts = self.backend.instant(&query, self.at_ms - offset_ms)?;
            self.counts.insert((at, range_ms), counts);
        }
        let counts = self.counts.get(&(at, range_ms)).map(Vec::as_slice).unwrap_or_default();
        let nameless = |labels: &Labels| labels.to_builder().remove(NAME).build().unwrap_or_default();
        let series: HashSet<Labels> = series.iter().map(|(labels, _)| nameless(labels)).collect();
        let of_series = counts.iter().filter(|it| series.contains(&nameless(&it.labels)));
        Ok(of_series.map(|it| it.sample.value).fold(0.0, f64::max))
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
