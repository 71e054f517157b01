use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ops_contract::{AuditEntry, Finding, Timestamp};
use ops_engine::findings::{Habits, merge, observe, read_of, tick};
use ops_engine::secrets::SecretRead;
use serde::Serialize;
use sqlx::AnyConnection;

use super::alert;
use super::world::Known;
use crate::store::findings::Kept;
use crate::store::{self, audit as log, findings as table};
use crate::{App, audit, clock};

/// The lease of the server that judges.
pub(crate) const LEASE: &str = "findings";
const LEASE_FOR: Duration = Duration::from_secs(5);
/// Entries that are judged at once.
const BATCH: u32 = 500;
/// What only time shows is looked for so often, and said again so much later.
const TICK: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_secs(60);
/// At the latest then it is written which reads there were, or after so many entries.
const READS_WITHIN: Duration = Duration::from_secs(5);
const READS_MOST: u64 = 2_000;
/// What is remembered is written no more often, and takes no more than this part of the time.
const HABITS_PAUSE: Duration = Duration::from_secs(10);
const HABITS_PART: u32 = 50;
/// Beyond this it is not written with each finding any more, but when its time comes.
const HABITS_QUICK: Duration = Duration::from_millis(50);

/// The rules at work on the log.
pub(crate) struct Fold {
    app: Arc<App>,
    memory: Option<Memory>,
    ticked: Option<Instant>,
}

/// What is known between two passes; all of it is read again when it is lost.
struct Memory {
    habits: Habits,
    /// Up to here reads are in the store.
    reads_next: u64,
    /// Last reads that are not in the store yet, by name and secret.
    reads: BTreeMap<(String, String), SecretRead>,
    reads_at: Instant,
    /// Whether habits are other than in the store.
    is_unsaved: bool,
    saved_at: Instant,
    /// How long it took to write them.
    took: Duration,
    /// When a finding of time was said last.
    said: BTreeMap<String, Timestamp>,
}

/// A finding, and how far the log was when it was found.
#[derive(Debug)]
struct Found {
    finding: Finding,
    at: Timestamp,
    /// The entry that showed it; `None`: time did.
    seq: Option<u64>,
}

/// What a pass came to.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Folded {
    entries: u64,
    findings: usize,
    /// Principals whose habits are known.
    principals: usize,
}

impl Fold {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app, memory: None, ticked: None }
    }

    /// Judges what is new in the log.
    pub(crate) async fn run(&mut self) -> anyhow::Result<Folded> {
        if !self.leads().await? {
            self.memory = None;
            return Ok(Folded::default());
        }
        let mut memory = match self.memory.take() {
            Some(memory) => memory,
            None => Memory::load(&self.app).await?,
        };
        let mut folded = Folded::default();
        // Whatever fails below: what is known is read again from the store.
        loop {
            let entries = self.next(memory.habits.next_seq()).await?;
            let more = entries.len() >= BATCH as usize;
            let found = self.judge(&mut memory, &entries).await?;
            folded.entries += entries.len() as u64;
            folded.findings += found.len();
            self.save(&mut memory, found).await?;
            if !more || self.app.shutdown.is_cancelled() || !self.leads().await? {
                break;
            }
        }
        folded.principals = memory.habits.principals();
        self.memory = Some(memory);
        if folded.findings > 0 || self.app.findings.open().is_none() {
            super::recount(&self.app).await?;
        }
        Ok(folded)
    }

    /// Of several servers with one store one judges.
    async fn leads(&self) -> anyhow::Result<bool> {
        let app = &self.app;
        if !app.store.shared {
            return Ok(true);
        }
        let now = clock::now();
        let mut db = app.store.connection().await?;
        Ok(store::leases::take(&mut db, LEASE, &app.holder, now, now + LEASE_FOR).await?)
    }

    async fn next(&self, from: u64) -> anyhow::Result<Vec<AuditEntry>> {
        let mut db = self.app.store.connection().await?;
        let rows = log::rows(&mut db, from, i64::MAX as u64, BATCH).await?;
        Ok(rows.iter().map(audit::row_view).collect())
    }

    async fn judge(&mut self, memory: &mut Memory, entries: &[AuditEntry]) -> anyhow::Result<Vec<Found>> {
        let now = clock::now();
        let is_time = self.ticked.is_none_or(|it| it.elapsed() >= TICK);
        if entries.is_empty() && !is_time {
            return Ok(Vec::new());
        }
        let known = Known::gather(&self.app, entries, now).await?;
        let mut found = memory.observe(entries, &known);
        // Only at the end of the log it is known what has not come.
        if is_time && entries.len() < BATCH as usize {
            self.ticked = Some(Instant::now());
            found.extend(memory.tick(now, &known));
        }
        Ok(found)
    }

    /// Stores what was found and, when it is time, what is remembered, in one transaction.
    async fn save(&self, memory: &mut Memory, found: Vec<Found>) -> anyhow::Result<()> {
        let keeps_habits = memory.are_habits_due(!found.is_empty());
        // After a crash it goes on behind what is remembered: reads before that must be known too.
        let keeps_reads = keeps_habits || memory.are_reads_due();
        if found.is_empty() && !keeps_reads && !keeps_habits {
            return Ok(());
        }
        let now = clock::now();
        let began = Instant::now();
        let next = memory.habits.next_seq();
        let habits = if keeps_habits { Some(memory.json().await?) } else { None };
        let mut db = self.app.store.begin().await?;
        if self.app.store.shared && !store::leases::keep(&mut db, LEASE, &self.app.holder, now).await? {
            anyhow::bail!("another server judges now");
        }
        if let Some(habits) = &habits {
            table::keep_habits(&mut db, habits).await?;
        }
        if keeps_reads {
            for ((name, secret), read) in &memory.reads {
                store::departures::note_read(&mut db, name, secret, *read).await?;
            }
            table::keep_reads_next(&mut db, memory.reads_next.max(next)).await?;
        }
        let mut is_told = false;
        for (_, again) in together(found) {
            is_told |= keep(&mut db, again, now).await?;
        }
        db.commit().await?;
        if keeps_reads {
            memory.reads_are_kept();
        }
        if keeps_habits {
            (memory.is_unsaved, memory.saved_at, memory.took) = (false, Instant::now(), began.elapsed());
        }
        if is_told {
            self.app.alerting.wake.activate();
        }
        Ok(())
    }
}

/// One for each key.
fn together(found: Vec<Found>) -> BTreeMap<String, Found> {
    let mut by_key: BTreeMap<String, Found> = BTreeMap::new();
    for it in found {
        match by_key.get_mut(&it.finding.key) {
            Some(known) => {
                merge(&mut known.finding, &it.finding);
                (known.at, known.seq) = (known.at.max(it.at), known.seq.max(it.seq));
            }
            None => {
                by_key.insert(it.finding.key.clone(), it);
            }
        }
    }
    by_key
}

/// Takes what was found into what is known by the same key; whether somebody is to be told.
async fn keep(db: &mut AnyConnection, found: Found, now: Timestamp) -> anyhow::Result<bool> {
    let before = table::lock(db, &found.finding.key).await?;
    let mut kept = match &before {
        None => Kept::new(found.finding, found.at),
        Some(before) => {
            let mut kept = before.clone();
            merge(&mut kept.view.finding, &found.finding);
            kept.view.last_at = kept.view.last_at.max(found.at);
            // What came after it was dealt with was not dealt with.
            let reopens = |entry: u64| found.seq.is_some_and(|seq| seq > entry);
            if kept.view.closed.as_ref().is_some_and(|it| reopens(it.entry)) {
                kept.view.closed = None;
            }
            kept
        }
    };
    let is_told = alert::tell(db, before.as_ref(), &mut kept, now).await?;
    if before.as_ref() != Some(&kept) {
        table::upsert(db, &kept).await?;
    }
    if before.is_none() {
        let Finding { rule, severity, summary, .. } = &kept.view.finding;
        tracing::info!(rule, ?severity, "found in the audit log: {summary}");
    }
    Ok(is_told)
}

impl Memory {
    /// As the store has it; habits that cannot be read are learnt again from the first entry on.
    async fn load(app: &App) -> anyhow::Result<Self> {
        let (habits, reads_next) = table::memory(&mut *app.store.connection().await?).await?;
        let habits = match habits.is_empty() {
            true => Habits::default(),
            false => serde_json::from_str(&habits).unwrap_or_else(|error| {
                tracing::error!(%error, "what the rules remember cannot be read; the log is judged from its beginning");
                Habits::default()
            }),
        };
        let now = Instant::now();
        Ok(Self {
            habits,
            reads_next,
            reads: BTreeMap::new(),
            reads_at: now,
            is_unsaved: false,
            saved_at: now,
            took: Duration::ZERO,
            said: BTreeMap::new(),
        })
    }

    fn observe(&mut self, entries: &[AuditEntry], known: &Known<'_>) -> Vec<Found> {
        let mut found = Vec::new();
        for entry in entries {
            self.is_unsaved = true;
            let findings = observe(&mut self.habits, entry, &known.world());
            let founded = findings.into_iter().filter(|it| known.is_founded(it));
            found.extend(founded.map(|finding| Found { finding, at: entry.at, seq: Some(entry.seq) }));
            let Some(by) = read_of(entry).filter(|it| it.read.seq >= self.reads_next) else { continue };
            for name in by.names {
                self.reads.insert((name.to_owned(), by.secret.to_owned()), by.read);
            }
        }
        found
    }

    fn tick(&mut self, now: Timestamp, known: &Known<'_>) -> Vec<Found> {
        let findings = tick(&mut self.habits, now, &known.world());
        self.said.retain(|_, at| now.since(*at) < AGAIN);
        let mut found = Vec::new();
        for finding in findings.into_iter().filter(|it| known.is_founded(it)) {
            if !self.said.contains_key(&finding.key) {
                self.said.insert(finding.key.clone(), now);
                found.push(Found { finding, at: now, seq: None });
            }
        }
        found
    }

    fn are_reads_due(&self) -> bool {
        let behind = self.habits.next_seq().saturating_sub(self.reads_next);
        behind >= READS_MOST || (behind > 0 && self.reads_at.elapsed() >= READS_WITHIN)
    }

    fn reads_are_kept(&mut self) {
        self.reads.clear();
        self.reads_next = self.reads_next.max(self.habits.next_seq());
        self.reads_at = Instant::now();
    }

    fn are_habits_due(&self, found: bool) -> bool {
        let pause = HABITS_PAUSE.max(self.took.saturating_mul(HABITS_PART));
        self.is_unsaved && (found && self.took <= HABITS_QUICK || self.saved_at.elapsed() >= pause)
    }

    /// What is remembered, as JSON; it may be large.
    async fn json(&mut self) -> anyhow::Result<String> {
        let habits = std::mem::take(&mut self.habits);
        let write = move || {
            let json = serde_json::to_string(&habits);
            (habits, json)
        };
        let (habits, json) = tokio::task::spawn_blocking(write).await?;
        self.habits = habits;
        Ok(json?)
    }
}
