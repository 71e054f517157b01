//! Which finished jobs are kept.

use std::time::Duration;

use serde_json::{Value, json};

/// Which finished jobs are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All of them.
    All,
    /// None: the job is removed as it finishes.
    Nothing,
    /// The newest ones.
    Last(u32),
    /// The ones not older than `age`, and not more than `count`.
    For {
        /// The greatest age.
        age: Duration,
        /// The greatest number.
        count: Option<u32>,
    },
}

impl Keep {
    pub(super) fn to_json(self) -> Value {
        match self {
            Self::All => json!(false),
            Self::Nothing => json!(true),
            Self::Last(count) => json!(count),
            Self::For { age, count: None } => json!({ "age": age.as_secs() }),
            Self::For { age, count: Some(count) } => json!({ "age": age.as_secs(), "count": count }),
        }
    }

    pub(super) fn from_json(value: &Value) -> Option<Self> {
        let count =
            |value: &Value| value.as_f64().map(|n| if n < 0.0 { Self::All } else { Self::Last(n as u32) });
        match value {
            Value::Bool(true) => Some(Self::Nothing),
            Value::Bool(false) => Some(Self::All),
            Value::Number(_) => {
                count(value).map(|keep| if keep == Self::Last(0) { Self::Nothing } else { keep })
            }
            Value::Object(fields) => match (fields.get("age").and_then(Value::as_f64), fields.get("count")) {
                (Some(age), limit) => Some(Self::For {
                    age: Duration::from_secs(age.max(0.0) as u64),
                    count: limit.and_then(Value::as_u64).map(|n| n.min(u64::from(u32::MAX)) as u32),
                }),
                (None, Some(limit)) => count(limit),
                (None, None) => Some(Self::All),
            },
            _ => None,
        }
    }

    /// The script's arguments: count (-1 all), age in seconds.
    pub(crate) fn arguments(self) -> (String, String) {
        match self {
            Self::All => ("-1".into(), String::new()),
            Self::Nothing => ("0".into(), String::new()),
            Self::Last(count) => (count.to_string(), String::new()),
            Self::For { age, count } => {
                (count.map(|n| n.to_string()).unwrap_or_default(), age.as_secs().to_string())
            }
        }
    }
}
