//! Matchers at work on many label sets: each value of a label is held against a regular expression once.

use std::collections::HashMap;

use ops_samples::{Labels, NAME};

use crate::{MatchOp, Matcher};

/// Values that are remembered per matcher.
const REMEMBERED: usize = 10_000;

/// The conditions of one selector.
pub(crate) struct Filter<'a> {
    matchers: &'a [Matcher],
    known: Vec<HashMap<String, bool>>,
}

impl<'a> Filter<'a> {
    pub(crate) fn new(matchers: &'a [Matcher]) -> Self {
        Self { matchers, known: vec![HashMap::new(); matchers.len()] }
    }

    /// Whether a metric of this name can be meant.
    pub(crate) fn takes_name(&mut self, name: &str) -> bool {
        let named = self.matchers.iter().filter(|matcher| matcher.name() == NAME);
        named.into_iter().all(|matcher| matcher.matches(name))
    }

    /// Whether a label set meets all conditions.
    pub(crate) fn takes(&mut self, labels: &Labels) -> bool {
        self.matchers.iter().zip(&mut self.known).all(|(matcher, known)| {
            let value = labels.get(matcher.name()).unwrap_or_default();
            if matches!(matcher.op(), MatchOp::Equal | MatchOp::NotEqual) {
                return matcher.matches(value);
            }
            if let Some(answer) = known.get(value) {
                return *answer;
            }
            let answer = matcher.matches(value);
            if known.len() < REMEMBERED {
                known.insert(value.to_owned(), answer);
            }
            answer
        })
    }
}
