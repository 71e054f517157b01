//! The templates of rule files: the part of Go's `text/template` that alert annotations and labels use, with the
//! functions that Prometheus adds.
//!
//! What is rendered equals what Prometheus renders, but output, depth and work are bounded. To add a function: name it in
//! `prometheus::FUNCTIONS` and give it an arm in `prometheus::call`. Others than rules bring their own values and functions:
//! [`Library`].

mod functions;
mod host;
mod lex;
mod node;
mod number;
mod parse;
mod printf;
mod prometheus;
mod run;
#[cfg(test)]
mod tests;
mod time;
mod value;

use std::sync::Arc;
use std::time::Duration;

use ops_samples::Labels;
use thiserror::Error;

use crate::VectorSample;

pub use host::{Functions, Library, Object, Rendering, SHARED, shared};
pub use value::Value;

/// Variables that every template of a rule knows.
const VARIABLES: [&str; 4] = ["$labels", "$externalLabels", "$externalURL", "$value"];

/// A template that was parsed.
#[derive(Clone, Debug)]
pub struct Template {
    tree: Arc<parse::Tree>,
}

/// A template that cannot be parsed or rendered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct TemplateError {
    /// What is wrong, in words.
    pub reason: String,
}

impl TemplateError {
    /// An error with this reason.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// What a template can speak of.
pub struct Context<'a> {
    /// `$labels`: of the sample, not of the rule.
    pub labels: &'a Labels,
    /// `$value`.
    pub value: f64,
    /// `$externalLabels`.
    pub external_labels: &'a Labels,
    /// `$externalURL`.
    pub external_url: &'a str,
    /// Evaluates an expression at the time of the rule, for `query`.
    pub query: &'a dyn Fn(&str) -> Result<Vec<VectorSample>, String>,
}

/// A duration as Prometheus writes it, such as `1d2h30m`: largest unit first, each once; `0` needs none.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    time::parse_duration(text).map(Duration::from_secs_f64)
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        parse::parse(text, &VARIABLES, &functions::is_known).map(|tree| Self { tree: Arc::new(tree) })
    }

    /// Renders it.
    ///
    /// # Errors
    /// A function that fails, such as `query`, or a value of the wrong kind.
    pub fn render(&self, context: &Context<'_>) -> Result<String, TemplateError> {
        run::render(&self.tree, context)
    }
}
