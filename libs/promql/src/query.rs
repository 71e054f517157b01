use std::collections::BTreeSet;

use ops_series::{Matcher, Source};

use crate::plan::{self, Expr};
use crate::{Answer, EvalError, Limits, ParseError, ValueKind};

/// An expression that was parsed, checked and planned.
#[derive(Debug)]
pub struct Query {
    text: String,
    kind: ValueKind,
    reads: Reads,
    #[allow(dead_code)]
    expr: Expr,
}

/// What an expression reads; rules are woken by it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reads {
    /// Every selector in it.
    pub selectors: Vec<Selector>,
    /// Names of the metrics that its selectors can match.
    pub names: BTreeSet<String>,
    /// A selector without an exact name is in it: any metric may matter.
    pub any_name: bool,
    /// Its value can change though no sample arrives: `time()` and its kin, ranges, offsets, `absent`.
    pub depends_on_time: bool,
}

/// One selector of an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    /// Its conditions.
    pub matchers: Vec<Matcher>,
    /// Its range in milliseconds; `None` for an instant selector.
    pub range_ms: Option<i64>,
    /// How far before the time of evaluation it looks, in milliseconds; negative: after it.
    pub offset_ms: i64,
    /// It is asked whether it is there at all (`absent`, `absent_over_time`), so no data is an answer.
    pub in_absent: bool,
}

impl Query {
    /// Parses and checks an expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let expr = plan::parse(text)?;
        Ok(Self { text: text.to_owned(), kind: expr.kind(), reads: plan::reads(&expr), expr })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it evaluates to.
    #[must_use]
    pub fn kind(&self) -> ValueKind {
        self.kind
    }

    /// What it reads.
    #[must_use]
    pub fn reads(&self) -> &Reads {
        &self.reads
    }

    /// Evaluates it at `at_ms`.
    ///
    /// # Errors
    /// Data that does not suit it, a limit, a disk that fails.
    pub fn instant(&self, source: &dyn Source, at_ms: i64, limits: &Limits) -> Result<Answer, EvalError> {
        let _ = (source, at_ms, limits);
        Err(EvalError::Execution("not yet".to_owned()))
    }

    /// Evaluates it at `start_ms`, `start_ms + step_ms`, … up to `end_ms`. The answer is a matrix, without staleness marks.
    ///
    /// # Errors
    /// As [`Query::instant`]; too many steps.
    pub fn range(
        &self,
        source: &dyn Source,
        (start_ms, end_ms, step_ms): (i64, i64, i64),
        limits: &Limits,
    ) -> Result<Answer, EvalError> {
        let _ = (source, start_ms, end_ms, step_ms, limits);
        Err(EvalError::Execution("not yet".to_owned()))
    }
}
