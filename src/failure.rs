//! How a command ends when it does not end well: what is wrong, what to do, and the exit code.

use std::process::ExitCode;

use crate::output;

/// Result of a command.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// Why a command failed. The numbers are a contract with scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command looked and found something wrong, or could not finish.
    Problems = 1,
    /// The command line or the stack file is wrong.
    Usage = 2,
    /// The control plane does not answer.
    Unreachable = 3,
    /// The environment variables are wrong.
    Environment = 78,
}

/// A command's bad end.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Gives the exit code.
    pub(crate) kind: Kind,
    /// What is wrong and what to do; empty when the command has said it all.
    pub(crate) message: String,
}

impl Failure {
    /// A failure of the given kind.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Something is wrong with what the command looked at.
    pub(crate) fn problems(message: impl Into<String>) -> Self {
        Self::new(Kind::Problems, message)
    }

    /// Used wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// The control plane does not answer.
    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unreachable, message)
    }

    /// Says it on standard error; gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            output::note(&format!("{} {}", output::paint_note("error:", output::Colour::Red), self.message));
        }
        ExitCode::from(self.kind as u8)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::problems(format!("{error:#}"))
    }
}
