//! Asks something of a queue: writes it down, waits for an agent's answer, and puts into words what did not come.

use std::time::Duration;

use ops_contract::{
    Operator, QueueCommand, QueueCommandRecord, QueueCommandStatus, QueueOperation, QueueOutcome, QueueReply,
};
use tokio::sync::oneshot::Receiver;
use tokio::time::Instant;
use uuid::Uuid;

use super::error::{ApiError, ApiResult};
use super::queue_at::QueueAt;
use crate::queue_commands::{Journaled, TAKEN_WITHIN, journal};
use crate::{App, clock, store};

/// Longest wait for an agent's answer.
const WAIT: Duration = Duration::from_secs(10);
/// How often the journal is asked meanwhile: the answer may come to another server.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Writes down what is wanted, and waits for an agent to have done it.
pub(super) async fn ask(
    app: &App,
    operator: Operator,
    at: QueueAt,
    operation: QueueOperation,
    reason: &str,
) -> ApiResult<QueueOutcome> {
    let agent = app.agent().ok_or_else(|| {
        ApiError::Unavailable("no agent has reported, so nobody can reach the queue".to_owned())
    })?;
    let id = Uuid::now_v7().to_string();
    let answer = app.answers.expect(&id);
    let answer =
        answer.ok_or_else(|| ApiError::Unavailable("too many wait for queues already".to_owned()))?;
    let command = QueueCommand {
        id,
        store: at.store,
        queue: at.queue,
        operation,
        requested_by: operator.name,
        requested_at: clock::now(),
    };
    match journal(app, &agent, &command, reason).await? {
        Journaled::Written => wait(app, &command, answer).await,
        Journaled::Busy(open) => {
            let what = open.map_or_else(
                || "something else was under way a moment ago".to_owned(),
                |it| format!("{} asked for something that is under way", it.command.requested_by),
            );
            Err(ApiError::Conflict(format!("{}: {what}; try again when it has ended", command.queue)))
        }
    }
}

async fn wait(
    app: &App,
    command: &QueueCommand,
    mut answer: Receiver<QueueReply>,
) -> ApiResult<QueueOutcome> {
    let end = Instant::now() + WAIT;
    loop {
        let again = end.min(Instant::now() + ASK_AGAIN);
        tokio::select! {
            Ok(reply) = &mut answer => return outcome(reply),
            () = tokio::time::sleep_until(again) => {}
            () = app.shutdown.cancelled() => {
                return Err(ApiError::Unavailable("the server stops; ask again in a moment".to_owned()));
            }
        }
        let record = store::queue_commands::get(&mut *app.store.connection().await?, &command.id).await?;
        // Between the look and here the answer may have come.
        if let Ok(reply) = answer.try_recv() {
            return outcome(reply);
        }
        let over = record.as_ref().is_none_or(|it| it.finished_at.is_some());
        if over || Instant::now() >= end {
            return from_journal(command, record);
        }
    }
}

fn outcome(reply: QueueReply) -> ApiResult<QueueOutcome> {
    match reply {
        QueueReply::Succeeded(outcome) => Ok(outcome),
        QueueReply::Missing { error } => Err(ApiError::NotFound(error)),
        QueueReply::Failed { error, done: 0 } => Err(ApiError::Unavailable(error)),
        QueueReply::Failed { error, done } => {
            Err(ApiError::Unavailable(format!("{error}; {done} jobs were done before that")))
        }
        QueueReply::Leased { .. } => Err(ApiError::NotInTime("the agent is still at it".to_owned())),
    }
}

/// What can be said without the answer itself.
fn from_journal(command: &QueueCommand, record: Option<QueueCommandRecord>) -> ApiResult<QueueOutcome> {
    let status = record.as_ref().map(|it| it.status);
    let (done, more) = record.as_ref().map_or((0, false), |it| (it.done, it.more));
    let error = record.and_then(|it| it.error);
    match status {
        Some(QueueCommandStatus::Succeeded) if command.operation.changes() => {
            Ok(QueueOutcome { done, more, ..QueueOutcome::default() })
        }
        Some(QueueCommandStatus::Succeeded) => Err(ApiError::Unavailable(
            "the agent answered another server, and jobs are not handed on; ask again".to_owned(),
        )),
        Some(QueueCommandStatus::Failed) => {
            outcome(QueueReply::Failed { error: error.unwrap_or_default(), done })
        }
        Some(QueueCommandStatus::Leased) => Err(ApiError::NotInTime(format!(
            "the agent is still at it, {done} jobs so far; the list of changes says when it has ended"
        ))),
        Some(QueueCommandStatus::Requested) => Err(ApiError::NotInTime(format!(
            "no agent has taken it yet; it is given up {} s after it was asked for",
            TAKEN_WITHIN.as_secs()
        ))),
        Some(QueueCommandStatus::Expired) | None => {
            Err(ApiError::NotInTime(error.unwrap_or_else(|| "it was given up".to_owned())))
        }
    }
}
