use ops_series::SelectError;
use thiserror::Error;

/// An expression that cannot be evaluated whatever the data.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct ParseError {
    /// What is wrong, in words.
    pub reason: String,
}

/// Why an expression gave no answer.
#[derive(Debug, Error)]
pub enum EvalError {
    /// The data does not suit the expression: many-to-many matching, duplicate labels, a bad argument.
    #[error("{0}")]
    Execution(String),
    /// One of [`crate::Limits`] was reached.
    #[error("{0}")]
    Limit(String),
    /// It took longer than [`crate::Limits::deadline`].
    #[error("the query took longer than allowed")]
    Timeout,
    /// The samples could not be read.
    #[error("cannot read the samples")]
    Select(#[from] SelectError),
}
