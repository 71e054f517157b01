use ops_promql::{Limits, Query, Value, VectorSample};
use ops_samples::{Labels, is_stale};
use ops_series::{Matcher, Select, Source, Want};

/// How far back a series is looked for that is not there now, in milliseconds.
const TRACE_MS: i64 = 3_600_000;

/// Where rules are evaluated.
pub trait Backend: Send + Sync {
    /// The value of an expression; a number is one sample without labels.
    ///
    /// # Errors
    /// Why there is none, in words.
    fn instant(&self, query: &Query, at_ms: i64) -> Result<Vec<VectorSample>, String>;

    /// Every series that meets the matchers and had a sample within the hour before `at_ms`, and how it does.
    ///
    /// # Errors
    /// Why that cannot be told, in words.
    fn lives(&self, matchers: &[Matcher], at_ms: i64) -> Result<Vec<(Labels, Life)>, String>;
}

/// How a series does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It has a value now.
    Live,
    /// It was marked as ended.
    Ended,
    /// It has had no sample for a while, and nothing says why.
    Silent,
}

/// Series of this process.
pub struct Local<'a> {
    source: &'a dyn Source,
    limits: Limits,
}

impl<'a> Local<'a> {
    /// Evaluates on `source` within `limits`.
    #[must_use]
    pub fn new(source: &'a dyn Source, limits: Limits) -> Self {
        Self { source, limits }
    }
}

impl Backend for Local<'_> {
    fn instant(&self, query: &Query, at_ms: i64) -> Result<Vec<VectorSample>, String> {
        let answer = query.instant(self.source, at_ms, &self.limits).map_err(|error| chain(&error))?;
        match answer.value {
            Value::Vector(samples) => Ok(samples),
            Value::Scalar(sample) => Ok(vec![VectorSample { labels: Labels::default(), sample }]),
            Value::String(_) | Value::Matrix(_) => Err("the expression gives no vector".to_owned()),
        }
    }

    fn lives(&self, matchers: &[Matcher], at_ms: i64) -> Result<Vec<(Labels, Life)>, String> {
        let select = Select {
            matchers,
            after_ms: at_ms - TRACE_MS,
            until_ms: at_ms,
            want: Want::Newest,
            max_samples: self.limits.max_samples,
        };
        let selection = self.source.select(&select).map_err(|error| chain(&error))?;
        let life = |sample: &ops_samples::Sample| {
            if is_stale(sample.value) {
                Life::Ended
            } else if sample.at_ms > at_ms - self.limits.lookback_ms {
                Life::Live
            } else {
                Life::Silent
            }
        };
        Ok(selection
            .iter()
            .filter_map(|(labels, samples)| Some((labels.clone(), life(samples.last()?))))
            .collect())
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}
