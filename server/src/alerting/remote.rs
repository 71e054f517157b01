//! Expressions asked of a Prometheus-compatible backend instead of the own series.

use std::time::Duration;

use ops_alerts::rules::{Backend, Life};
use ops_promql::{Query, VectorSample};
use ops_samples::{Labels, Sample};
use ops_series::Matcher;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::runtime::Handle;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest answer.
const LONGEST: usize = 64 << 20;
/// How far back a selector without a range looks, there as here.
const LOOKBACK_MS: f64 = 300_000.0;

/// A Prometheus-compatible backend. Blocks the calling thread, which must not be one of the runtime's own.
pub(crate) struct Remote {
    url: String,
    token: Option<SecretString>,
    client: Client,
    runtime: Handle,
}

impl Remote {
    /// Takes up `url`, the address up to, not with, `/api/v1`. Must be called on the runtime.
    pub(crate) fn new(url: &str, token: Option<SecretString>) -> anyhow::Result<Self> {
        let client =
            Client::builder().no_proxy().connect_timeout(Duration::from_secs(5)).timeout(PATIENCE).build()?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), token, client, runtime: Handle::current() })
    }

    /// The value of an expression at a time.
    fn ask(&self, expression: &str, at_ms: i64) -> Result<Vec<VectorSample>, String> {
        let answer = self.runtime.block_on(self.fetch(expression, at_ms))?;
        answer.vector(at_ms)
    }

    async fn fetch(&self, expression: &str, at_ms: i64) -> Result<Data, String> {
        let time = format!("{}.{:03}", at_ms.div_euclid(1_000), at_ms.rem_euclid(1_000));
        let form = [("query", expression), ("time", time.as_str())];
        let mut request = self.client.post(format!("{}/api/v1/query", self.url)).form(&form);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        let mut response = request.send().await.map_err(|error| self.fault(&error))?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.fault(&error))? {
            if body.len() + chunk.len() > LONGEST {
                return Err(format!("{} answered with more than {LONGEST} bytes", self.url));
            }
            body.extend_from_slice(&chunk);
        }
        let status = response.status();
        match serde_json::from_slice::<Answer>(&body) {
            Ok(Answer { data: Some(data), .. }) if status.is_success() => Ok(data),
            Ok(Answer { error: Some(error), .. }) => Err(format!("{}: {error}", self.url)),
            _ => Err(format!("{} answered {status} and no result", self.url)),
        }
    }

    fn fault(&self, error: &reqwest::Error) -> String {
        let what = if error.is_timeout() {
            "did not answer in time"
        } else if error.is_connect() {
            "cannot be reached"
        } else {
            "did not answer"
        };
        format!("{} {what}", self.url)
    }
}

impl Backend for Remote {
    fn instant(&self, query: &Query, at_ms: i64) -> Result<Vec<VectorSample>, String> {
        self.ask(query.text(), at_ms)
    }

    /// Marks of ended series cannot be seen from outside: a series that is gone although its last sample is younger than
    /// any selector looks back must have one.
    fn lives(&self, matchers: &[Matcher], at_ms: i64) -> Result<Vec<(Labels, Life)>, String> {
        let selector = selector(matchers);
        let live = self.ask(&selector, at_ms)?;
        let past = self.ask(&format!("max_over_time(timestamp({selector})[1h:15s])"), at_ms)?;
        let nameless: Vec<Labels> = live.iter().map(|it| without_name(&it.labels)).collect();
        let gone = past.into_iter().filter(|it| !nameless.contains(&it.labels)).map(|it| {
            let age_ms = at_ms as f64 - it.sample.value * 1_000.0;
            (it.labels, if age_ms < LOOKBACK_MS { Life::Ended } else { Life::Silent })
        });
        let gone: Vec<_> = gone.collect();
        Ok(live.into_iter().map(|it| (it.labels, Life::Live)).chain(gone).collect())
    }
}

fn selector(matchers: &[Matcher]) -> String {
    let conditions: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    format!("{{{}}}", conditions.join(","))
}

fn without_name(labels: &Labels) -> Labels {
    let kept = labels.iter().filter(|(name, _)| *name != ops_samples::NAME);
    Labels::from_sorted(kept).unwrap_or_default()
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<Element>),
    Scalar((f64, String)),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Element {
    metric: std::collections::BTreeMap<String, String>,
    value: Option<(f64, String)>,
}

impl Data {
    fn vector(self, at_ms: i64) -> Result<Vec<VectorSample>, String> {
        let sample = |value: &str| -> Result<Sample, String> {
            let value = value.parse().map_err(|_| format!("{value:?} is not a number"))?;
            Ok(Sample { at_ms, value })
        };
        match self {
            Self::Scalar((_, value)) => {
                Ok(vec![VectorSample { labels: Labels::default(), sample: sample(&value)? }])
            }
            Self::Vector(elements) => elements
                .iter()
                .filter_map(|it| it.value.as_ref().map(|(_, value)| (it, value)))
                .map(|(it, value)| {
                    let labels = Labels::new(&it.metric).map_err(|error| error.to_string())?;
                    Ok(VectorSample { labels, sample: sample(value)? })
                })
                .collect(),
            Self::Other => Err("the answer is neither a vector nor a number".to_owned()),
        }
    }
}
