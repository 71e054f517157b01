//! On-call calendars: fetched, kept in the store, and counted as they last were while they cannot be had.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use ops_contract::Timestamp;
use ops_tasks::Task;
use reqwest::Client;
use reqwest::redirect::Policy;
use serde::Serialize;

use super::config::variable;
use crate::{App, clock, store};

/// How often a calendar is fetched, and how soon again after a failure.
const EVERY: Duration = Duration::from_mins(5);
const AGAIN: Duration = Duration::from_secs(30);
/// Largest calendar in bytes.
const LARGEST: usize = 1 << 20;
/// From this age on it is said that a calendar is old.
pub(super) const OLD: Duration = Duration::from_hours(1);

/// A calendar as it last was.
#[derive(Clone, Debug, Default)]
pub(super) struct Fetched {
    pub(super) text: Option<Arc<str>>,
    pub(super) at: Option<Timestamp>,
    /// Why it cannot be had now.
    pub(super) problem: Option<String>,
    /// Another one each time that any of this says something else.
    pub(super) version: i64,
    tried: Option<Instant>,
}

/// Calendars by their place in the on-call file, as written there.
#[derive(Debug, Default)]
pub(crate) struct Calendars(Mutex<BTreeMap<String, Fetched>>);

impl Calendars {
    pub(super) fn get(&self, place: &str) -> Fetched {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(place).cloned().unwrap_or_default()
    }

    fn put(&self, place: &str, fetched: Fetched) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(place.to_owned(), fetched);
    }
}

/// Whether a place is an address; else it is a file.
pub(super) fn is_address(place: &str) -> bool {
    place.starts_with("https://") || place.starts_with("http://") || place.starts_with("${")
}

/// Fetches calendars when their time has come.
pub(crate) struct Fetching {
    app: Arc<App>,
    client: Client,
}

#[derive(Default, Serialize)]
pub(crate) struct Fetches {
    fetched: u32,
    failed: u32,
}

impl Fetching {
    pub(crate) fn new(app: Arc<App>) -> anyhow::Result<Self> {
        let client =
            Client::builder().timeout(Duration::from_secs(10)).redirect(Policy::limited(3)).build()?;
        Ok(Self { app, client })
    }

    /// What the store has of it, before it was fetched the first time.
    async fn kept(&self, place: &str) -> anyhow::Result<Fetched> {
        let mut db = self.app.store.connection().await?;
        let Some(kept) = store::meta::get(&mut db, &key(place)).await? else { return Ok(Fetched::default()) };
        let Some((at, text)) = kept.split_once('\n') else { return Ok(Fetched::default()) };
        let at = at.parse().ok().map(Timestamp);
        Ok(Fetched { text: Some(text.into()), at, version: 1, ..Fetched::default() })
    }

    async fn fetch(&self, place: &str) -> anyhow::Result<String> {
        let address = variable(&self.app, place)?;
        ensure!(is_address(&address) && !address.starts_with("${"), "it is no address");
        // The address may hold a token.
        let mut answer = self
            .client
            .get(&address)
            .send()
            .await
            .map_err(|error| error.without_url())
            .context("no answer")?;
        ensure!(answer.status().is_success(), "the answer was {}", answer.status());
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| error.without_url())? {
            bytes.extend_from_slice(&chunk);
            ensure!(bytes.len() <= LARGEST, "it is larger than {LARGEST} bytes");
        }
        let text = String::from_utf8(bytes).context("it is no text")?;
        ensure!(
            text.trim_start_matches('\u{feff}').starts_with("BEGIN:VCALENDAR"),
            "what came is no calendar"
        );
        ensure!(!text.contains('\0'), "what came is no text");
        Ok(text)
    }

    async fn look_at(&self, place: &str, report: &mut Fetches) -> anyhow::Result<()> {
        let calendars = &self.app.paging.calendars;
        let mut known = calendars.get(place);
        if known.tried.is_none() && known.text.is_none() {
            known = self.kept(place).await?;
        }
        let pause = if known.problem.is_some() { AGAIN } else { EVERY };
        if known.tried.is_some_and(|at| at.elapsed() < pause) {
            return Ok(());
        }
        known.tried = Some(Instant::now());
        match self.fetch(place).await {
            Ok(text) => {
                report.fetched += 1;
                let now = clock::now();
                let changed = known.text.as_deref() != Some(&text) || known.problem.is_some();
                let mut db = self.app.store.connection().await?;
                store::meta::set(&mut db, &key(place), &format!("{}\n{text}", now.0)).await?;
                known.version += i64::from(changed);
                (known.text, known.at, known.problem) = (Some(text.into()), Some(now), None);
            }
            Err(error) => {
                report.failed += 1;
                let problem = format!("{error:#}");
                tracing::warn!(problem, "an on-call calendar cannot be had");
                // Its age is told: that changes with time.
                known.version += 1;
                known.problem = Some(problem);
            }
        }
        calendars.put(place, known);
        Ok(())
    }
}

fn key(place: &str) -> String {
    format!("calendar:{place}")
}

impl Task for Fetching {
    const NAME: &'static str = "calendars";
    type Report = Fetches;

    async fn run(&mut self) -> anyhow::Result<Fetches> {
        let mut report = Fetches::default();
        let on_call = self.app.paging.config().on_call.clone();
        for (_, place) in on_call.calendars().filter(|(_, place)| is_address(place)) {
            self.look_at(place, &mut report).await?;
        }
        Ok(report)
    }
}
