use std::collections::{BTreeMap, BTreeSet};

use super::number;

/// What is to be said about a result, in Prometheus' words.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    warnings: BTreeSet<String>,
    infos: BTreeSet<String>,
    forced: BTreeMap<String, Forced>,
}

/// Buckets whose counts fell where they must not, and were raised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forced {
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
    pub(crate) most: f64,
    pub(crate) samples: usize,
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
}

impl Notes {
    pub(crate) fn quantile(&mut self, quantile: f64) {
        let got = number::shortest(quantile);
        self.warn(format!("quantile value should be between 0 and 1, got {got}"));
    }

    pub(crate) fn ratio(&mut self, ratio: f64, to: f64) {
        let (got, to) = (number::shortest(ratio), number::shortest(to));
        self.warn(format!("ratio value should be between -1 and 1, got {got}, capping to {to}"));
    }

    pub(crate) fn bucket(&mut self, metric: &str, label: &str) {
        let of = number::of_metric(metric);
        self.warn(format!("bucket label \"le\" is missing or has a malformed value of {label:?}{of}"));
    }

    pub(crate) fn sort_in_range(&mut self) {
        self.warn(
            "sort is ineffective for range queries since results are always ordered by labels".to_owned(),
        );
    }

    pub(crate) fn no_counter(&mut self, metric: &str) {
        let text = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket";
        self.infos.insert(format!("PromQL info: {text}: {metric:?}"));
    }

    pub(crate) fn forced(&mut self, metric: &str, it: Forced) {
        let all = self.forced.entry(metric.to_owned()).or_insert(Forced { samples: 0, ..it });
        *all = Forced {
            lowest: all.lowest.min(it.lowest),
            highest: all.highest.max(it.highest),
            most: all.most.max(it.most),
            samples: all.samples + it.samples,
            first_ms: all.first_ms.min(it.first_ms),
            last_ms: all.last_ms.max(it.last_ms),
        };
    }

    fn warn(&mut self, text: String) {
        self.warnings.insert(format!("PromQL warning: {text}"));
    }

    /// The warnings and the infos.
    pub(crate) fn into_texts(self) -> (Vec<String>, Vec<String>) {
        let forced = self.forced.iter().map(|(metric, it)| forced_text(metric, it));
        let infos = self.infos.iter().cloned().chain(forced).collect();
        (self.warnings.into_iter().collect(), infos)
    }
}

fn forced_text(metric: &str, it: &Forced) -> String {
    let page = "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile";
    let (of, lowest) = (number::of_metric(metric), number::shortest(it.lowest));
    let (highest, most) = (number::shortest(it.highest), number::general(it.most, 2));
    let (first, last) = (number::rfc3339(it.first_ms), number::rfc3339(it.last_ms));
    format!(
        "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see {page}){of}, from buckets \
         {lowest} to {highest}, with a max diff of {most}, over {} samples from {first} to {last}",
        it.samples
    )
}
