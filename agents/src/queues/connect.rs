use std::time::Duration;

use ops_bullmq::{Client, Error, Queue};
use ops_contract::QueueCommand;
use redis::ErrorKind;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use crate::agent::Agent;

/// Longest wait for the first word of a store.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a queue cannot be had.
pub(super) enum Absent {
    /// There is no such queue.
    Missing(String),
    /// It cannot be told.
    Unreachable(String),
}

/// Where the queues of a store are.
struct Place {
    address: String,
    database: u16,
    /// What their keys begin with.
    prefix: String,
    password_secret: Option<String>,
}

/// Why a queue was not opened.
enum Closed {
    Absent(Absent),
    /// The store does not take the password.
    Password(Absent),
}

/// The queue that a command is about, if it is there: a command must not make one of a name that was mistyped. Tried once
/// more with the password of now when the store refuses the one that was known.
pub(super) async fn queue(agent: &Agent, command: &QueueCommand) -> Result<Queue, Absent> {
    let place = place(agent, &command.store).map_err(Absent::Unreachable)?;
    let (secrets, control, secret) = (&agent.secrets, &agent.control, place.password_secret.as_deref());
    let known = secrets.password(control, &command.store, secret).await.map_err(Absent::Unreachable)?;
    let mut opened = open(&place, known.as_ref(), command).await;
    if let Err(Closed::Password(_)) = &opened
        && let Some(renewed) = secrets.renewed(control, &command.store, secret, known.as_ref()).await
    {
        opened = open(&place, Some(&renewed), command).await;
    }
    opened.map_err(|(Closed::Absent(absent) | Closed::Password(absent))| absent)
}

async fn open(
    place: &Place,
    password: Option<&SecretString>,
    command: &QueueCommand,
) -> Result<Queue, Closed> {
    let unreachable = |error: &Error| {
        let absent = Absent::Unreachable(in_words(&command.store, error));
        if is_refusal(error) { Closed::Password(absent) } else { Closed::Absent(absent) }
    };
    let missing = |words: String| Closed::Absent(Absent::Missing(words));
    let client = Client::lazy(&place.url(password), &place.prefix).map_err(|error| unreachable(&error))?;
    let queue = Queue::new(&client, &command.queue).map_err(|error| missing(error.to_string()))?;
    match tokio::time::timeout(PATIENCE, queue.exists()).await {
        Ok(Ok(true)) => Ok(queue),
        Ok(Ok(false)) => Err(missing(format!("{} has no queue {}", command.store, command.queue))),
        Ok(Err(error)) => Err(unreachable(&error)),
        Err(_) => Err(unreachable(&Error::Timeout)),
    }
}

/// Whether the store does not take the password.
fn is_refusal(error: &Error) -> bool {
    match error {
        Error::Server(server) => {
            server.kind() == ErrorKind::AuthenticationFailed
                || matches!(server.code(), Some("NOAUTH" | "WRONGPASS"))
        }
        _ => false,
    }
}

/// Why it did not work, without anything of what was sent or read.
pub(super) fn in_words(store: &str, error: &Error) -> String {
    match error {
        Error::Timeout => format!("{store} does not answer"),
        error if is_refusal(error) => format!("{store}: authentication failed"),
        Error::Server(server) if server.is_connection_refusal() => {
            format!("{store} cannot be reached: connection refused")
        }
        Error::Server(_) if error.is_connection() => format!("{store} cannot be reached"),
        Error::Server(server) => match server.code() {
            Some(code) => format!("{store} answers {code}"),
            None => format!("{store} fails: {}", server.category()),
        },
        other => format!("{store}: {other}"),
    }
}

fn place(agent: &Agent, store: &str) -> Result<Place, String> {
    let stack = agent.stack.borrow().clone().ok_or("the agent has no stack yet")?;
    let spec = store.strip_prefix("valkey.").and_then(|name| stack.valkey.get(name));
    let spec = spec.ok_or_else(|| format!("the stack has no {store}"))?;
    let queues = spec.queues.as_ref().ok_or_else(|| format!("the queues of {store} are not watched"))?;
    Ok(Place {
        address: spec.address.clone(),
        database: queues.database,
        prefix: queues.prefix.clone(),
        password_secret: spec.password_secret.clone(),
    })
}

impl Place {
    fn url(&self, password: Option<&SecretString>) -> Zeroizing<String> {
        let Self { address, database, .. } = self;
        let password = password.map(|it| Zeroizing::new(percent_encoded(it.expose_secret())));
        Zeroizing::new(match password {
            Some(password) => format!("redis://:{}@{address}/{database}", *password),
            None => format!("redis://{address}/{database}"),
        })
    }
}

/// The text as it may stand in any part of an address.
pub(super) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
