//! Samples of agents, by number: labels are told once in a session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Extension, Router};
use ops_contract::AgentName;
use ops_samples::Sample;
use ops_samples::frames::{Decoder, FrameError, Item, MAX_FRAME};

use super::caller::Agent;
use super::error::ApiError;
use crate::App;
use crate::series::{Metric, Series, SeriesRef};

/// Most sessions in memory; the one that was silent for longest goes.
const MOST_SESSIONS: usize = 16;
/// Most series of all sessions together.
const MOST_SERIES: usize = 2_000_000;

/// What sessions of agents have told.
#[derive(Default)]
struct Sessions {
    turn: u64,
    known: HashMap<(AgentName, u128), Session>,
}

/// What the numbers of one session mean. Labels are not kept: an agent has them, and is asked again.
#[derive(Default)]
struct Session {
    used: u64,
    /// By number; agents count from 0.
    series: Vec<Known>,
}

#[derive(Clone, Copy)]
enum Known {
    /// Nobody defined the number, or it was given up.
    No,
    /// The store did not take the series.
    Refused,
    Series(SeriesRef),
}

type Shared = Arc<Mutex<Sessions>>;

pub(super) fn routes() -> Router<Arc<App>> {
    let routes = Router::new().route("/samples", post(take));
    routes.layer(Extension(Shared::default())).layer(DefaultBodyLimit::max(MAX_FRAME))
}

/// Why a frame is not taken.
enum Refusal {
    Frame(FrameError),
    /// The agent must define everything again.
    Unknown,
}

impl From<FrameError> for Refusal {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

/// Takes a frame. Samples that the store refuses are counted there; sending them again would not help.
async fn take(
    Agent(agent): Agent,
    State(app): State<Arc<App>>,
    Extension(sessions): Extension<Shared>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let work = move || {
        let mut sessions = sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.take(&app.series, agent, &body)
    };
    match tokio::task::spawn_blocking(work).await.map_err(anyhow::Error::from)? {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(Refusal::Frame(error)) => Err(ApiError::BadRequest(error.to_string())),
        Err(Refusal::Unknown) => {
            Err(ApiError::Conflict("define the series of this session again".to_owned()))
        }
    }
}

impl Sessions {
    fn take(&mut self, series: &Series, agent: AgentName, frame: &[u8]) -> Result<(), Refusal> {
        let decoder = Decoder::new(frame)?;
        let key = (agent, decoder.session());
        if decoder.begins() {
            // An agent that begins anew needs none of what it told before.
            self.known.retain(|(agent, _), _| *agent != key.0);
            self.known.insert(key.clone(), Session::default());
        }
        self.turn += 1;
        let session = self.known.get_mut(&key).ok_or(Refusal::Unknown)?;
        session.used = self.turn;
        let outcome = session.read(series, decoder);
        if outcome.is_err() {
            // What a broken frame defined is not known to its sender.
            self.known.remove(&key);
        }
        self.shrink();
        outcome
    }

    fn shrink(&mut self) {
        let series = |it: &HashMap<_, Session>| it.values().map(|it| it.series.len()).sum::<usize>();
        while self.known.len() > MOST_SESSIONS || series(&self.known) > MOST_SERIES {
            let oldest = self.known.iter().min_by_key(|(_, it)| it.used).map(|(key, _)| key.clone());
            if oldest.and_then(|key| self.known.remove(&key)).is_none() {
                return;
            }
        }
    }
}

impl Session {
    fn read(&mut self, store: &Series, decoder: Decoder<'_>) -> Result<(), Refusal> {
        let mut samples: Vec<(SeriesRef, Sample)> = Vec::with_capacity(decoder.samples_about());
        for item in decoder {
            match item? {
                Item::Sample(number, sample) => match self.series.get(number as usize) {
                    Some(Known::Series(series)) => samples.push((*series, sample)),
                    Some(Known::Refused) => {}
                    Some(Known::No) | None => return Err(Refusal::Unknown),
                },
                Item::Define(number, labels) => {
                    let known = store.resolve(&labels).map_or(Known::Refused, Known::Series);
                    self.set(number, known);
                }
                Item::Metadata(it) => {
                    let metric = Metric {
                        kind: it.kind.to_owned(),
                        help: it.help.to_owned(),
                        unit: it.unit.to_owned(),
                    };
                    store.describe([(it.metric.to_owned(), metric)]);
                }
                Item::Forget(number) => self.set(number, Known::No),
            }
        }
        // The store forgot series that were silent for long: all are defined again, and the frame comes once more. What it
        // has already is then a repetition.
        let appended = store.append(&samples);
        if appended.unknown.is_empty() { Ok(()) } else { Err(Refusal::Unknown) }
    }

    /// The decoder bounds numbers, and so the memory this takes.
    fn set(&mut self, number: u32, known: Known) {
        let number = number as usize;
        if number >= self.series.len() {
            self.series.resize(number + 1, Known::No);
        }
        if let Some(place) = self.series.get_mut(number) {
            *place = known;
        }
    }
}
