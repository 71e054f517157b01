use serde::{Deserialize, Serialize};

use crate::{Change, Timestamp};

/// The one sentence on the first page: what is broken, since when, why, what changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Verdict {
    /// How bad it is.
    pub tone: Tone,
    /// The sentence.
    pub sentence: String,
    /// What is at the root: `postgres.main`, `api`; absent when all is well.
    pub root: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// What else is unwell because of the root.
    pub affected: Vec<String>,
    /// The nearest change before it began; a coincidence until shown otherwise.
    pub nearest_change: Option<Change>,
}

/// How bad it is; also glyph and colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// All wanted replicas serve.
    Serving,
    /// On its way up or down, as asked.
    Starting,
    /// Stopped on purpose.
    Stopped,
    /// Cannot be told.
    Unknown,
    /// Something is wrong, users are served.
    Degraded,
    /// Users are not served.
    Down,
}
