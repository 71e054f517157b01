use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What a label must be. On the wire as in Alertmanager's API v2.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Matcher {
    /// The label; one that is missing counts as empty.
    pub name: String,
    /// The value, or the expression that must match all of it.
    pub value: String,
    /// Whether `value` is a regular expression.
    pub is_regex: bool,
    /// Whether it must match; false: it must not.
    #[serde(default = "yes")]
    pub is_equal: bool,
}

fn yes() -> bool {
    true
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match (self.is_equal, self.is_regex) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        };
        write!(f, "{}{operator}{:?}", self.name, self.value)
    }
}

/// Alerts that nobody is told of for a while, though they are seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    /// Its identity.
    pub id: String,
    /// All of them must match.
    pub matchers: Vec<Matcher>,
    /// From when on.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// More that its maker wants to keep.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

impl Silence {
    /// Its matchers as people read them, in at most 300 characters.
    #[must_use]
    pub fn words(&self) -> String {
        let all = self.matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        if all.chars().count() <= 300 { all } else { all.chars().take(299).chain(['…']).collect() }
    }
}

/// What is asked of a new silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MakeSilence {
    /// All of them must match: `service=api`, `severity!=critical`, `alertname=~"Queue.*"`.
    pub matchers: Vec<String>,
    /// From when on; now unless told.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// Until when.
    pub ends_at: Timestamp,
    /// Why.
    pub comment: String,
    /// Make it though it mutes every alert that fires.
    #[serde(default)]
    pub confirm: bool,
}

/// A silence and what it does now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SilenceView {
    /// The silence.
    pub silence: Silence,
    /// How it stands.
    pub state: SilenceStanding,
    /// How many of the firing alerts it mutes.
    pub mutes_now: u64,
}

/// How a silence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SilenceStanding {
    /// It has not begun.
    Pending,
    /// It mutes.
    Active,
    /// It is over.
    Expired,
}
