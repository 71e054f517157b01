//! Adding a job only if another of the same meaning is not on its way.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{duration, millis};

/// Of several jobs with one deduplication id only one is added. What [`Queue::add`](crate::Queue::add) returns for the others is the
/// id of that one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deduplication {
    /// What is the same about the jobs.
    pub id: String,
    /// For how long the id stays taken; until its job has ended if absent.
    pub ttl: Option<Duration>,
    /// Each further job makes the time to live begin anew.
    pub extend: bool,
    /// A further job takes the place of the first one while that is delayed.
    pub replace: bool,
    /// The last of the jobs added while the first one runs is run after it. Without a time to live.
    pub keep_last_if_active: bool,
}

impl Deduplication {
    /// Until the job has ended.
    pub fn simple(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// At most one job in so much time.
    pub fn throttle(id: impl Into<String>, ttl: Duration) -> Self {
        Self { id: id.into(), ttl: Some(ttl), ..Self::default() }
    }

    /// Only the last job, once there was none for so long. Give the job a delay of the same length.
    pub fn debounce(id: impl Into<String>, ttl: Duration) -> Self {
        Self { id: id.into(), ttl: Some(ttl), extend: true, replace: true, keep_last_if_active: false }
    }

    pub(super) fn to_json(&self) -> Value {
        let mut rule = Map::new();
        rule.insert("id".to_owned(), json!(self.id));
        if let Some(ttl) = self.ttl {
            rule.insert("ttl".to_owned(), json!(millis(ttl)));
        }
        let flags = [
            ("extend", self.extend),
            ("replace", self.replace),
            ("keepLastIfActive", self.keep_last_if_active),
        ];
        rule.extend(flags.iter().filter(|(_, set)| *set).map(|(name, _)| ((*name).to_owned(), json!(true))));
        Value::Object(rule)
    }

    pub(super) fn from_json(value: &Value) -> Option<Self> {
        let flag = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or(false);
        Some(Self {
            id: value.get("id")?.as_str()?.to_owned(),
            ttl: value.get("ttl").and_then(duration).filter(|ttl| !ttl.is_zero()),
            extend: flag("extend"),
            replace: flag("replace"),
            keep_last_if_active: flag("keepLastIfActive"),
        })
    }
}
