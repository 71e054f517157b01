//! Does to queues what operators ask: pause, resume, retry, drain, promote, and look at jobs.
//!
//! `act` changes, in bounded steps and for a bounded time; `look` only reads, and what it reads goes through `redact` before it
//! leaves this machine. Of the values of secrets, that knows those which this process holds or has handed out since it began, as
//! many as are remembered; it asks for none, since a read would be recorded that serves nothing. What is hidden by its key or by
//! its shape is hidden without knowing any value.
//!
//! A command may come twice, when an agent was killed with it: then it does what is left, see `act`.
//!
//! To add an operation: its arm in [`carry_out`].

mod act;
mod connect;
mod look;
mod redact;
mod text;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ops_contract::{QueueCommand, QueueOperation, QueueReply};
use tokio::sync::OnceCell;
use tracing::{info, warn};

use crate::agent::Agent;
use crate::control::ControlError;
use crate::session::is_gone;
use connect::{Absent, in_words};

/// How often a lease, which lasts 30 s, is extended.
const EXTEND_EVERY: Duration = Duration::from_secs(5);

/// Begins to carry out a command, beside the others. One that is under way or waits to be told is left alone.
pub(crate) fn begin(agent: &Arc<Agent>, command: QueueCommand) {
    if !agent.in_flight.lock().unwrap_or_else(PoisonError::into_inner).insert(command.id.clone()) {
        return;
    }
    let reply = Arc::new(OnceCell::new());
    agent.spawn(&format!("queue command {}", command.id), move |agent, stop| {
        let (command, reply) = (command.clone(), Arc::clone(&reply));
        async move {
            // Begun again when the server could not be told: the reply is then at hand.
            if let Some(told) = stop.run_until_cancelled(serve(&agent, &command, &reply)).await {
                told?;
                agent.in_flight.lock().unwrap_or_else(PoisonError::into_inner).remove(&command.id);
            }
            Ok(())
        }
    });
}

async fn serve(
    agent: &Agent,
    command: &QueueCommand,
    reply: &OnceCell<QueueReply>,
) -> Result<(), ControlError> {
    let reply = reply.get_or_init(|| extending(agent, command)).await;
    match agent.control.queue_command(&command.id, reply).await {
        Err(error) if is_gone(&error) => {
            warn!(command.id = command.id, %error, "the server no longer wants this answer");
            Ok(())
        }
        told => told,
    }
}

/// Carries a command out, telling the server now and then how far it is.
async fn extending(agent: &Agent, command: &QueueCommand) -> QueueReply {
    info!(
        command.id = command.id,
        store = command.store,
        queue = command.queue,
        by = command.requested_by,
        "begins with a queue command: {}",
        name(&command.operation)
    );
    let done = AtomicU64::new(0);
    let mut work = std::pin::pin!(carry_out(agent, command, &done));
    let reply = loop {
        match tokio::time::timeout(EXTEND_EVERY, &mut work).await {
            Ok(reply) => break reply,
            Err(_) => {
                let leased = QueueReply::Leased { done: done.load(Ordering::Relaxed) };
                if let Err(error) = agent.control.queue_command(&command.id, &leased).await {
                    warn!(command.id = command.id, %error, "cannot extend a lease");
                }
            }
        }
    };
    if let QueueReply::Failed { error, done } = &reply {
        warn!(command.id = command.id, queue = command.queue, done, "a queue command failed: {error}");
    }
    reply
}

async fn carry_out(agent: &Agent, command: &QueueCommand, done: &AtomicU64) -> QueueReply {
    let queue = match connect::queue(agent, command).await {
        Ok(queue) => queue,
        Err(Absent::Missing(error)) => return QueueReply::Missing { error },
        Err(Absent::Unreachable(error)) => return QueueReply::Failed { error, done: 0 },
    };
    let began = command.requested_at;
    let outcome = match &command.operation {
        QueueOperation::Pause => act::pause(&queue).await,
        QueueOperation::Resume => act::resume(&queue).await,
        QueueOperation::RetryFailed { limit } => act::retry(&queue, *limit, began, done).await,
        QueueOperation::Drain { delayed } => act::drain(&queue, *delayed, began, done).await,
        QueueOperation::PromoteDelayed { limit } => act::promote(&queue, *limit, done).await,
        QueueOperation::ListJobs { state, from, limit } => {
            look::list(&redactor(agent), &queue, *state, *from, *limit).await
        }
        QueueOperation::LookAt { job_id } => match look::one(&redactor(agent), &queue, job_id).await {
            Ok(None) => {
                return QueueReply::Missing { error: format!("{} has no job {job_id}", command.queue) };
            }
            Ok(Some(outcome)) => Ok(outcome),
            Err(error) => Err(error),
        },
    };
    match outcome {
        Ok(outcome) => QueueReply::Succeeded(outcome),
        Err(error) => {
            QueueReply::Failed { error: in_words(&command.store, &error), done: done.load(Ordering::Relaxed) }
        }
    }
}

/// Knows every secret that this process holds or has handed out.
fn redactor(agent: &Agent) -> redact::Redactor {
    redact::Redactor::new(agent.secrets.known())
}

fn name(operation: &QueueOperation) -> &'static str {
    match operation {
        QueueOperation::Pause => "pause",
        QueueOperation::Resume => "resume",
        QueueOperation::RetryFailed { .. } => "retry failed jobs",
        QueueOperation::Drain { .. } => "drain",
        QueueOperation::PromoteDelayed { .. } => "promote delayed jobs",
        QueueOperation::ListJobs { .. } => "list jobs",
        QueueOperation::LookAt { .. } => "look at a job",
    }
}
