//! The wait between two attempts.

use std::time::Duration;

use serde_json::{Value, json};

use super::{duration, millis};

/// The wait between two attempts.
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    /// How the wait grows.
    pub kind: BackoffKind,
    /// The wait, or the first of the waits.
    pub delay: Duration,
    /// 0 for exact waits, up to 1 for waits anywhere between nothing and the full wait.
    pub jitter: f64,
}

/// How the wait between two attempts grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackoffKind {
    /// The same wait each time.
    Fixed,
    /// Twice as long each time.
    Exponential,
    /// A strategy that an npm program named and only it knows; here it is the fixed one.
    Custom(String),
}

impl Backoff {
    /// The same wait each time.
    pub fn fixed(delay: Duration) -> Self {
        Self { kind: BackoffKind::Fixed, delay, jitter: 0.0 }
    }

    /// `delay`, then twice as long each time.
    pub fn exponential(delay: Duration) -> Self {
        Self { kind: BackoffKind::Exponential, delay, jitter: 0.0 }
    }

    /// The wait after the given attempt (the first is 1). `random` is in 0..1.
    pub fn wait(&self, attempt: u32, random: f64) -> Duration {
        let base = self.delay.as_millis() as f64;
        let full = match self.kind {
            BackoffKind::Exponential => base * 2f64.powi(attempt.saturating_sub(1).min(1000) as i32),
            BackoffKind::Fixed | BackoffKind::Custom(_) => base,
        };
        let jitter = self.jitter.clamp(0.0, 1.0);
        let wait = if jitter > 0.0 { full * (1.0 - jitter) + random * full * jitter } else { full };
        // A wait beyond any calendar would overflow the delayed set's score.
        Duration::from_millis(wait.clamp(0.0, 1e12) as u64)
    }

    pub(super) fn to_json(&self) -> Value {
        let kind = match &self.kind {
            BackoffKind::Fixed => "fixed",
            BackoffKind::Exponential => "exponential",
            BackoffKind::Custom(name) => name,
        };
        let mut backoff = json!({ "type": kind, "delay": millis(self.delay) });
        if self.jitter > 0.0 {
            backoff["jitter"] = json!(self.jitter);
        }
        backoff
    }

    pub(super) fn from_json(value: &Value) -> Option<Self> {
        if let Some(delay) = duration(value) {
            return Some(Self::fixed(delay));
        }
        let kind = match value.get("type")?.as_str()? {
            "fixed" => BackoffKind::Fixed,
            "exponential" => BackoffKind::Exponential,
            other => BackoffKind::Custom(other.to_owned()),
        };
        let delay = value.get("delay").and_then(duration).unwrap_or_default();
        Some(Self { kind, delay, jitter: value.get("jitter").and_then(Value::as_f64).unwrap_or(0.0) })
    }
}
