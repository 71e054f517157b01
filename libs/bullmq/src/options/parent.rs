//! What ties a job to the job that waits for it.

use serde_json::{Map, Value, json};

/// A job that waits for others, by its place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Parent {
    /// The key base of its queue: the prefix and the name, `bull:email`.
    pub queue: String,
    /// Its id within that queue.
    pub id: String,
}

/// What the final failure of a job does to its parent. Without one the parent goes on waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The parent fails too.
    FailParent,
    /// The parent runs at once and finds the failure among its children's.
    ContinueParent,
    /// The parent runs after its other children and finds the failure among its children's.
    IgnoreDependency,
    /// The parent runs after its other children and hears nothing of this one.
    RemoveDependency,
}

impl OnFailure {
    const ALL: [Self; 4] =
        [Self::FailParent, Self::ContinueParent, Self::IgnoreDependency, Self::RemoveDependency];

    fn short(self) -> &'static str {
        match self {
            Self::FailParent => "fpof",
            Self::ContinueParent => "cpof",
            Self::IgnoreDependency => "idof",
            Self::RemoveDependency => "rdof",
        }
    }

    pub(super) fn write(self, opts: &mut Map<String, Value>) {
        opts.insert(self.short().to_owned(), Value::Bool(true));
    }

    pub(super) fn read(opts: &Map<String, Value>) -> Option<Self> {
        Self::ALL.into_iter().find(|way| opts.get(way.short()) == Some(&Value::Bool(true)))
    }
}

impl Parent {
    /// As the job's options keep it.
    pub(super) fn to_json(&self) -> Value {
        json!({ "id": self.id, "queue": self.queue })
    }

    /// As the job's hash keeps it, for whoever ends the job.
    pub(crate) fn to_link(&self, on_failure: Option<OnFailure>) -> String {
        let mut link = Map::new();
        link.insert("id".to_owned(), json!(self.id));
        link.insert("queueKey".to_owned(), json!(self.queue));
        if let Some(way) = on_failure {
            way.write(&mut link);
        }
        Value::Object(link).to_string()
    }

    /// From the options (`queue`) or the hash (`queueKey`).
    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let queue = value.get("queue").or_else(|| value.get("queueKey"))?.as_str()?.to_owned();
        let id = match value.get("id")? {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return None,
        };
        Some(Self { queue, id })
    }
}
