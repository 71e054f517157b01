//! Whom to tell, and in which words: what each kind of receiver is sent, and what its answers mean.
//!
//! No I/O here: an integration turns a notification into a message, the server sends it, the integration judges the answer.
//! One file per receiver. To add one: a file with its settings (`serde`, Alertmanager's names), its message and its judgement,
//! and an arm in [`Integration`].

mod message;

use std::fmt;

use serde_json::Value;

pub use message::{Answer, HttpMessage, MailMessage, Message, Verdict};

/// One way to tell a receiver: an entry of `slack_configs`, `webhook_configs` and so on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Integration {}

/// What the `global` section says for integrations that do not say it themselves.
#[derive(Clone, Debug, Default)]
pub struct Globals {
    /// The section as it stands in the file, after `${NAME}` was filled in.
    pub section: Value,
}

/// What is wrong with the settings of an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The field: `webhook_configs[0].url`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to write instead; may be empty.
    pub fix: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)?;
        if !self.fix.is_empty() {
            write!(f, " ({})", self.fix)?;
        }
        Ok(())
    }
}

impl Integration {
    /// Reads an entry of the list `kind` (`slack_configs`) of a receiver.
    pub fn read(kind: &str, _settings: &Value, _globals: &Globals) -> Result<Self, Vec<Wrong>> {
        let problem = "there is no such kind of receiver".to_owned();
        Err(vec![Wrong { field: kind.to_owned(), problem, fix: String::new() }])
    }
}
