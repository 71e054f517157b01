//! What operators want of queues: written down first, handed to an agent with its next lease, settled by its answer, or given
//! up. Every step of what changes a queue stands among the changes; looking at jobs stands in the journal only.

use std::time::Duration;

use ops_contract::{
    AgentName, Change, ChangeKind, QueueCommand, QueueCommandRecord, QueueCommandStatus, QueueOperation,
    QueueReply, Timestamp,
};

use crate::store::queue_commands::{End, Terms};
use crate::{App, clock, store};

/// An agent that is there takes a command at once. One that comes back later must not do what nobody expects any more.
pub(crate) const TAKEN_WITHIN: Duration = Duration::from_secs(15);
/// How long an agent has a command without a word of it.
const LEASE: Duration = Duration::from_secs(30);
/// How long after that it is kept for the agent to come back to.
const SILENCE: Duration = Duration::from_secs(60);
/// Longest text of an agent about what went wrong, in characters.
const LONGEST_ERROR: usize = 500;
/// What is asked for when no limit is given.
pub(crate) const ALL: u64 = 1_000_000;

/// What became of writing a command down.
pub(crate) enum Journaled {
    Written,
    /// Another one that changes the queue is open, if it still can be told which.
    Busy(Option<QueueCommandRecord>),
}

/// Writes a command down for an agent to find, and with it what is about to change.
pub(crate) async fn journal(
    app: &App,
    agent: &AgentName,
    command: &QueueCommand,
    reason: &str,
) -> store::Result<Journaled> {
    let mut db = app.store.begin().await?;
    if !store::queue_commands::insert(&mut db, command, agent).await? {
        return Ok(Journaled::Busy(
            store::queue_commands::open(&mut db, &command.store, &command.queue).await?,
        ));
    }
    let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let change = command.operation.changes().then(|| {
        let summary = format!("{}{because}", wanted(command));
        change(command, command.requested_by.clone(), summary, command.requested_at)
    });
    if let Some(change) = &change {
        store::changes::insert(&mut db, change).await?;
    }
    db.commit().await?;
    app.remember(change.as_slice());
    app.work.notify_waiters();
    Ok(Journaled::Written)
}

/// On which terms commands are handed out now.
pub(crate) fn terms(now: Timestamp) -> Terms {
    Terms { now, until: now + LEASE, oldest: now - TAKEN_WITHIN }
}

/// Takes what an agent says of a command; false when it never had it.
pub(crate) async fn settle(
    app: &App,
    agent: &AgentName,
    id: &str,
    mut reply: QueueReply,
) -> store::Result<bool> {
    let now = clock::now();
    let mut db = app.store.begin().await?;
    shorten(&mut reply);
    let end = match &reply {
        QueueReply::Leased { done } => {
            let open = store::queue_commands::extend(&mut db, id, agent, *done, now + LEASE).await?;
            let known = open || store::queue_commands::exists(&mut db, id, agent).await?;
            db.commit().await?;
            return Ok(known);
        }
        QueueReply::Succeeded(outcome) => {
            let (done, more) = (outcome.done, outcome.more);
            End { status: QueueCommandStatus::Succeeded, done, more, error: None }
        }
        QueueReply::Missing { error } => {
            End { status: QueueCommandStatus::Failed, done: 0, more: false, error: Some(error) }
        }
        QueueReply::Failed { error, done } => {
            End { status: QueueCommandStatus::Failed, done: *done, more: false, error: Some(error) }
        }
    };
    let Some(record) = store::queue_commands::finish(&mut db, id, agent, end, now).await? else {
        return store::queue_commands::exists(&mut db, id, agent).await;
    };
    let change = ended(&record, agent.as_str(), now);
    if let Some(change) = &change {
        store::changes::insert(&mut db, change).await?;
    }
    db.commit().await?;
    app.remember(change.as_slice());
    if let QueueReply::Succeeded(outcome) = &mut reply {
        // An earlier session of the agent may have done a part.
        outcome.done = record.done;
    }
    app.answers.give(id, reply);
    Ok(true)
}

/// Gives up what no agent takes or ends; says how many.
pub(crate) async fn give_up(app: &App) -> store::Result<usize> {
    let now = clock::now();
    let mut db = app.store.begin().await?;
    let given_up = store::queue_commands::expire(&mut db, now - TAKEN_WITHIN, now - SILENCE, now).await?;
    let changes: Vec<Change> = given_up.iter().filter_map(|record| ended(record, "server", now)).collect();
    for change in &changes {
        store::changes::insert(&mut db, change).await?;
    }
    db.commit().await?;
    app.remember(&changes);
    Ok(given_up.len())
}

/// An agent's words are kept, so they have a bound.
fn shorten(reply: &mut QueueReply) {
    if let QueueReply::Missing { error } | QueueReply::Failed { error, .. } = reply
        && let Some((end, _)) = error.char_indices().nth(LONGEST_ERROR)
    {
        error.truncate(end);
    }
}

fn ended(record: &QueueCommandRecord, actor: &str, now: Timestamp) -> Option<Change> {
    let command = &record.command;
    command.operation.changes().then(|| change(command, actor.to_owned(), came(record), now))
}

fn change(command: &QueueCommand, actor: String, summary: String, at: Timestamp) -> Change {
    let subject = format!("{}/{}", command.store, command.queue);
    store::changes::new(ChangeKind::Queue, subject, actor, summary, at)
}

/// What is wanted, in words.
pub(crate) fn wanted(command: &QueueCommand) -> String {
    let queue = &command.queue;
    let most = |limit: u64| if limit >= ALL { "all".to_owned() } else { format!("at most {limit}") };
    match &command.operation {
        QueueOperation::Pause => format!("{queue} is to be paused"),
        QueueOperation::Resume => format!("{queue} is to be resumed"),
        QueueOperation::RetryFailed { limit } => {
            format!("{} failed jobs of {queue} are to be retried", most(*limit))
        }
        QueueOperation::Drain { delayed: false } => format!("waiting jobs of {queue} are to be removed"),
        QueueOperation::Drain { delayed: true } => {
            format!("waiting and delayed jobs of {queue} are to be removed")
        }
        QueueOperation::PromoteDelayed { limit } => {
            format!("{} delayed jobs of {queue} are to run now", most(*limit))
        }
        QueueOperation::ListJobs { state, .. } => format!("{state} jobs of {queue} are to be listed"),
        QueueOperation::LookAt { job_id } => format!("job {job_id} of {queue} is to be shown"),
    }
}

/// What came of it, in words.
fn came(record: &QueueCommandRecord) -> String {
    let (queue, done) = (&record.command.queue, record.done);
    if let Some(error) = &record.error {
        let part = if done > 0 { format!(" after {done} jobs") } else { String::new() };
        return format!("not done{part}: {}: {error}", wanted(&record.command));
    }
    let jobs = if done == 1 { "1 job".to_owned() } else { format!("{done} jobs") };
    let left = if record.more { "; more are left" } else { "" };
    match &record.command.operation {
        QueueOperation::Pause if done == 0 => format!("{queue} was paused already"),
        QueueOperation::Pause => format!("{queue} is paused"),
        QueueOperation::Resume if done == 0 => format!("{queue} was not paused"),
        QueueOperation::Resume => format!("{queue} is resumed"),
        QueueOperation::RetryFailed { .. } => {
            format!("{jobs} of {queue} that had failed put back in line{left}")
        }
        QueueOperation::Drain { .. } => format!("{jobs} of {queue} removed{left}"),
        QueueOperation::PromoteDelayed { .. } => {
            format!("{jobs} of {queue} that were delayed may run now{left}")
        }
        QueueOperation::ListJobs { .. } | QueueOperation::LookAt { .. } => format!("{jobs} of {queue} shown"),
    }
}
