use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ops_contract::{DependencyKind, DependencyReport, DependencyStatus};
use ops_tasks::ServiceHandle;
use secrecy::SecretString;
use tokio::time::Instant;

use super::{postgres, valkey};
use crate::agent::Agent;
use crate::clock;

/// Longest look.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);
/// Pause between two looks at a store that is up, and at one that is not.
const PAUSE_UP: Duration = Duration::from_secs(2);
const PAUSE_NOT_UP: Duration = Duration::from_secs(1);
/// Looks after which the connection is made anew: a server may serve those who are in and let nobody else in.
const FRESH_AFTER: u32 = 5;
/// Time-outs in a row after which a store that does not answer is down; before, it cannot be told.
const TIMEOUTS_DOWN: u32 = 3;

/// A data store that is looked at.
#[derive(Clone)]
pub(super) struct Target {
    /// `postgres.main`, `postgres.main.replica-0`, `valkey.main`.
    pub(super) name: String,
    /// The store as the stack has it, to which the password belongs: `postgres.main`.
    pub(super) belongs_to: String,
    pub(super) password_secret: Option<String>,
    pub(super) store: Store,
}

/// What it is and where.
#[derive(Clone)]
pub(super) enum Store {
    Postgres(postgres::Target),
    Valkey(valkey::Target),
}

/// What was seen, or why nothing good was.
pub(super) type Seen = Result<String, Fault>;

/// Why nothing good was seen, in words without anything of what was sent.
pub(super) enum Fault {
    /// The store does not take the password.
    Password(String),
    /// Something else is wrong with it.
    Other(String),
    /// It does not answer.
    Silence,
    /// It was not asked: its password cannot be had.
    NoPassword(String),
}

impl From<String> for Fault {
    fn from(words: String) -> Self {
        Self::Other(words)
    }
}

impl Fault {
    pub(super) fn words(self) -> String {
        match self {
            Self::Password(words) | Self::Other(words) | Self::NoPassword(words) => words,
            Self::Silence => format!("no answer within {TIMEOUT:?}"),
        }
    }
}

/// An open connection, kept between looks.
enum Connection {
    Postgres(Box<postgres::Connection>),
    Valkey(valkey::Connection),
}

/// Looks at a data store until stopped.
pub(super) fn begin(agent: &Arc<Agent>, target: Target) -> ServiceHandle {
    agent.spawn(&format!("probe {}", target.name), move |agent, stop| {
        let target = target.clone();
        async move {
            let _ = stop.run_until_cancelled(run(&agent, &target)).await;
            Ok(())
        }
    })
}

async fn run(agent: &Agent, target: &Target) {
    let mut connection = None;
    let mut timeouts = 0;
    for turn in 1_u32.. {
        if turn % FRESH_AFTER == 0 {
            connection = None;
        }
        let seen = look(agent, target, &mut connection).await;
        timeouts = if matches!(seen, Err(Fault::Silence)) { timeouts + 1 } else { 0 };
        let (status, detail, latency_ms) = match seen {
            Ok((detail, latency)) => (DependencyStatus::Up, detail, Some(latency.as_secs_f64() * 1e3)),
            Err(fault) => {
                let is_told = match fault {
                    Fault::Password(_) | Fault::Other(_) => true,
                    Fault::Silence => timeouts >= TIMEOUTS_DOWN,
                    // That says nothing of the store.
                    Fault::NoPassword(_) => false,
                };
                let status = if is_told { DependencyStatus::Down } else { DependencyStatus::Unknown };
                (status, fault.words(), None)
            }
        };
        report(agent, target, status, detail, latency_ms);
        tokio::time::sleep(if status == DependencyStatus::Up { PAUSE_UP } else { PAUSE_NOT_UP }).await;
    }
}

/// One look, and one more with the password of now when the store refuses the one that was known. Asking for passwords is
/// no part of the look's time: the server may be slow where the store is not.
async fn look(
    agent: &Agent,
    target: &Target,
    connection: &mut Option<Connection>,
) -> Result<(String, Duration), Fault> {
    let (store, secret) = (&*target.belongs_to, target.password_secret.as_deref());
    let known = agent.secrets.password(&agent.control, store, secret).await.map_err(Fault::NoPassword)?;
    match look_with(target, known.clone(), connection).await {
        Err(Fault::Password(words)) => {
            match agent.secrets.renewed(&agent.control, store, secret, known.as_ref()).await {
                Some(renewed) => look_with(target, Some(renewed), connection).await,
                None => Err(Fault::Password(words)),
            }
        }
        seen => seen,
    }
}

/// What is seen and how long it took.
async fn look_with(
    target: &Target,
    password: Option<SecretString>,
    connection: &mut Option<Connection>,
) -> Result<(String, Duration), Fault> {
    let began = Instant::now();
    match tokio::time::timeout(TIMEOUT, look_through(target, password, connection)).await {
        Ok(seen) => seen.map(|detail| (detail, began.elapsed())),
        Err(_) => {
            // What was under way on it is of unknown state.
            *connection = None;
            Err(Fault::Silence)
        }
    }
}

/// Looks through the open connection; a broken one is replaced once, so that only what is true now is told.
async fn look_through(
    target: &Target,
    password: Option<SecretString>,
    connection: &mut Option<Connection>,
) -> Seen {
    if let Some(mut open) = connection.take()
        && let Ok(detail) = ask(&mut open).await
    {
        *connection = Some(open);
        return Ok(detail);
    }
    let mut open = connect(target, password).await?;
    let detail = ask(&mut open).await?;
    *connection = Some(open);
    Ok(detail)
}

async fn connect(target: &Target, password: Option<SecretString>) -> Result<Connection, Fault> {
    match &target.store {
        Store::Postgres(store) => {
            postgres::connect(store, password).await.map(|open| Connection::Postgres(Box::new(open)))
        }
        Store::Valkey(store) => valkey::connect(store, password).await.map(Connection::Valkey),
    }
}

async fn ask(connection: &mut Connection) -> Seen {
    match connection {
        Connection::Postgres(open) => postgres::ask(open).await,
        Connection::Valkey(open) => valkey::ask(open).await,
    }
}

/// Keeps what was seen for the heartbeat, and tells at once when it makes a difference.
fn report(agent: &Agent, target: &Target, status: DependencyStatus, detail: String, latency_ms: Option<f64>) {
    let kind = match target.store {
        Store::Postgres(_) => DependencyKind::Postgres,
        Store::Valkey(_) => DependencyKind::Valkey,
    };
    let name = target.name.clone();
    let report = DependencyReport { name: name.clone(), kind, status, detail, latency_ms, at: clock::now() };
    let mut known = agent.dependencies.lock().unwrap_or_else(PoisonError::into_inner);
    let before = known.insert(name, report.clone());
    drop(known);
    if before.is_none_or(|before| before.status != report.status || before.detail != report.detail) {
        agent.outbox.dependency(report);
    }
}
