//! What can go wrong, for the caller of the client and for the handler of a job.

use std::{fmt::Display, time::Duration};

/// A call to the queue failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is no `redis://`, `rediss://`, `valkey://` or `valkeys://` URL. The address itself is secret and not repeated.
    #[error("the queue's address is not a valid redis or valkey url")]
    Address(#[source] redis::RedisError),
    /// The server did not answer, or answered with an error.
    #[error("the queue's server failed")]
    Server(#[from] redis::RedisError),
    /// The server did not answer in time.
    #[error("the queue's server did not answer in time")]
    Timeout,
    /// An option that npm `bullmq` would refuse as well.
    #[error("invalid job option: {0}")]
    Option(String),
    /// The name of a queue is empty or has a colon in it.
    #[error("a queue's name must not be empty and must not contain a colon")]
    QueueName,
    /// A cron pattern, a time zone or the combination of a scheduler's options does not work.
    #[error("invalid scheduler: {0}")]
    Schedule(String),
    /// The data of a job cannot be written as JSON.
    #[error("the job's data cannot be written as json")]
    Encode(#[source] serde_json::Error),
    /// The data of a job is not what the caller asked for.
    #[error("the job's data has another shape")]
    Decode(#[source] serde_json::Error),
    /// The job is not there any more.
    #[error("job {0} does not exist")]
    Missing(String),
    /// The job is there and what was asked for cannot be done to it as it stands.
    #[error("job {id} was left as it is: {why}")]
    Refused {
        /// The job's id.
        id: String,
        /// What stands in the way.
        why: &'static str,
    },
    /// Another worker holds the job's lock, or nobody does.
    #[error("the lock on job {0} was lost")]
    LockLost(String),
}

impl Error {
    /// Whether the server could not be reached, so that the same call may work later.
    pub fn is_connection(&self) -> bool {
        match self {
            Self::Timeout => true,
            Self::Server(error) => {
                error.is_io_error()
                    || error.is_connection_dropped()
                    || error.is_timeout()
                    || error.is_connection_refusal()
                    || error.is_cluster_error()
                    || matches!(
                        error.kind(),
                        redis::ErrorKind::Server(
                            redis::ServerErrorKind::BusyLoading
                                | redis::ServerErrorKind::TryAgain
                                | redis::ServerErrorKind::MasterDown
                                | redis::ServerErrorKind::ReadOnly
                        )
                    )
            }
            _ => false,
        }
    }
}

/// Why a handler did not do a job.
///
/// Any `std::error::Error` becomes [`JobError::Retry`] by `?`, its chain of sources becomes the stack text.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum JobError {
    /// Failed this time: the job is tried again while it has attempts left.
    Retry(String),
    /// Failed for good: it would fail again however often it is tried.
    Unrecoverable(String),
    /// Did not fail and is not done: goes on after so long. The attempt is not counted.
    Delay(Duration),
    /// Did not fail: goes back in line, and no worker of a limited queue takes a job for so long. With nothing, for as long as
    /// [`Queue::hold`](crate::Queue::hold) said before.
    RateLimited(Duration),
    /// Did not fail: goes on when the children that it has added have ended; at once if none is pending.
    WaitForChildren,
    /// A failure of either kind, with a text that is kept as the job's stack trace.
    Traced {
        /// What is kept as the reason.
        message: String,
        /// What is kept as the stack trace.
        stack: String,
        /// Whether another attempt makes sense.
        retry: bool,
    },
}

impl JobError {
    /// A failure that may pass, from anything that can be shown (`{error:#}` of an `anyhow::Error`, say).
    pub fn retry(message: impl Display) -> Self {
        Self::Retry(message.to_string())
    }

    /// A failure that will not pass.
    pub fn unrecoverable(message: impl Display) -> Self {
        Self::Unrecoverable(message.to_string())
    }

    /// The same failure with a text that is kept as the job's stack trace.
    #[must_use]
    pub fn with_stack(self, stack: impl Into<String>) -> Self {
        let (message, retry) = (self.message().to_owned(), self.is_retry());
        Self::Traced { message, stack: stack.into(), retry }
    }

    /// What is kept as the job's failed reason.
    pub fn message(&self) -> &str {
        match self {
            Self::Retry(message) | Self::Unrecoverable(message) | Self::Traced { message, .. } => message,
            Self::Delay(_) => "delayed",
            Self::RateLimited(_) => "rate limited",
            Self::WaitForChildren => "waiting for children",
        }
    }

    /// Whether another attempt makes sense.
    pub fn is_retry(&self) -> bool {
        matches!(self, Self::Retry(_) | Self::Traced { retry: true, .. })
    }

    /// What is kept as the job's stack trace; npm's clients expect one for each failure.
    pub fn stack(&self) -> String {
        match self {
            Self::Traced { stack, .. } => stack.clone(),
            Self::Delay(_) | Self::RateLimited(_) | Self::WaitForChildren => String::new(),
            Self::Retry(message) => format!("Error: {message}"),
            Self::Unrecoverable(message) => format!("UnrecoverableError: {message}"),
        }
    }
}

impl<E: std::error::Error> From<E> for JobError {
    fn from(error: E) -> Self {
        let message = error.to_string();
        let mut stack = format!("Error: {message}");
        let mut source = error.source();
        while let Some(cause) = source {
            stack.push_str(&format!("\n    caused by: {cause}"));
            source = cause.source();
        }
        Self::Traced { message, stack, retry: true }
    }
}
