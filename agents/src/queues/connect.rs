use std::time::Duration;

use ops_bullmq::{Client, Error, Queue};
use ops_contract::QueueCommand;
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

/// The queue that a command is about, if it is there: a command must not make one of a name that was mistyped.
pub(super) async fn queue(agent: &Agent, command: &QueueCommand) -> Result<Queue, Absent> {
    let (url, prefix) = address(agent, &command.store).map_err(Absent::Unreachable)?;
    let unreachable = |error: &Error| Absent::Unreachable(in_words(&command.store, error));
    let client = Client::lazy(url.expose_secret(), &prefix).map_err(|error| unreachable(&error))?;
    let queue = Queue::new(&client, &command.queue).map_err(|error| Absent::Missing(error.to_string()))?;
    match tokio::time::timeout(PATIENCE, queue.exists()).await {
        Ok(Ok(true)) => Ok(queue),
        Ok(Ok(false)) => Err(Absent::Missing(format!("{} has no queue {}", command.store, command.queue))),
        Ok(Err(error)) => Err(unreachable(&error)),
        Err(_) => Err(unreachable(&Error::Timeout)),
    }
}

/// Why it did not work, without anything of what was sent or read.
pub(super) fn in_words(store: &str, error: &Error) -> String {
    match error {
        Error::Timeout => format!("{store} does not answer"),
        Error::Server(server) if server.is_connection_refusal() => {
            format!("{store} cannot be reached: connection refused")
        }
        Error::Server(_) if error.is_connection() => format!("{store} cannot be reached"),
        Error::Server(server) => match server.code() {
            Some("NOAUTH" | "WRONGPASS") => format!("{store}: authentication failed"),
            Some(code) => format!("{store} answers {code}"),
            None => format!("{store} fails: {}", server.category()),
        },
        other => format!("{store}: {other}"),
    }
}

/// Where the queues of a store are, and the prefix of their keys.
fn address(agent: &Agent, store: &str) -> Result<(SecretString, String), String> {
    let stack = agent.stack.borrow().clone().ok_or("the agent has no stack yet")?;
    let spec = store.strip_prefix("valkey.").and_then(|name| stack.valkey.get(name));
    let spec = spec.ok_or_else(|| format!("the stack has no {store}"))?;
    let queues = spec.queues.as_ref().ok_or_else(|| format!("the queues of {store} are not watched"))?;
    let user = match &spec.password_secret {
        Some(name) => {
            let password = agent.secrets.resolve(name, &stack, &agent.environment)?;
            format!(":{}@", percent_encoded(password.expose_secret()))
        }
        None => String::new(),
    };
    let url = format!("redis://{user}{}/{}", spec.address, queues.database);
    Ok((SecretString::from(url), queues.prefix.clone()))
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
