//! What the stand-in server does with samples: it keeps all of them, by series.

use std::collections::{BTreeMap, HashMap};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use ops_samples::frames::{CONTENT_TYPE, Decoder, Item};
use ops_samples::{Labels, Sample, is_stale};

use crate::server::Server;

#[derive(Default)]
pub(crate) struct Store {
    pub(crate) sessions: HashMap<u128, HashMap<u32, Labels>>,
    series: BTreeMap<String, Vec<Sample>>,
    /// Help by metric.
    pub(crate) helps: BTreeMap<String, String>,
}

impl Store {
    /// The values of a series in the order in which they came; `None` where it ended.
    pub(crate) fn values(&self, series: &str) -> Vec<Option<f64>> {
        let samples = self.series.get(series).into_iter().flatten();
        samples.map(|it| (!is_stale(it.value)).then_some(it.value)).collect()
    }

    /// The last of them.
    pub(crate) fn last(&self, series: &str) -> Option<Option<f64>> {
        self.values(series).pop()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.series.keys()
    }

    pub(crate) fn times(&self, series: &str) -> Vec<i64> {
        self.series.get(series).into_iter().flatten().map(|it| it.at_ms).collect()
    }

    fn take(&mut self, body: &[u8]) -> Result<(), StatusCode> {
        let decoder = Decoder::new(body).map_err(|_| StatusCode::BAD_REQUEST)?;
        if decoder.begins() {
            self.sessions.insert(decoder.session(), HashMap::new());
        }
        let numbers = self.sessions.get_mut(&decoder.session()).ok_or(StatusCode::CONFLICT)?;
        let mut said = Vec::new();
        for item in decoder {
            match item.map_err(|_| StatusCode::BAD_REQUEST)? {
                Item::Define(number, labels) => drop(numbers.insert(number, labels)),
                Item::Forget(number) => drop(numbers.remove(&number)),
                Item::Sample(number, sample) => {
                    said.push((numbers.get(&number).ok_or(StatusCode::CONFLICT)?.to_string(), sample));
                }
                Item::Metadata(it) => drop(self.helps.insert(it.metric.to_owned(), it.help.to_owned())),
            }
        }
        for (series, sample) in said {
            self.series.entry(series).or_default().push(sample);
        }
        Ok(())
    }
}

pub(crate) async fn take(
    State(server): State<Server>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    server.check(&headers)?;
    if headers.get("content-type").is_none_or(|it| it != CONTENT_TYPE) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    server.memory.lock().unwrap().samples.take(&body).map(|()| StatusCode::NO_CONTENT)
}
