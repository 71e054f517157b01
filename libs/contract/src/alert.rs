use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Timestamp, Tone};

/// How an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Its condition holds, but not yet for as long as the rule asks.
    Pending,
    /// Its condition holds.
    Firing,
    /// Its condition held and no longer does.
    Resolved,
}

/// One alert: a rule and the label set for which its condition holds or held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Alert {
    /// Stays the same from its first pending to its end; another time is another id.
    pub id: String,
    /// 16 hexadecimal digits over its labels, as Alertmanager computes it.
    pub fingerprint: String,
    /// The rule, as `group/rule#place` within its file.
    pub rule: String,
    /// How it stands.
    pub state: AlertState,
    /// Its labels, `alertname` among them.
    pub labels: BTreeMap<String, String>,
    /// Its annotations as last rendered while the condition held.
    pub annotations: BTreeMap<String, String>,
    /// Where its expression can be looked at: of our own rules below the server's address, of others as they say it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub generator_url: String,
    /// What the expression last gave while the condition held; `NaN` and infinities as text.
    #[serde(with = "number")]
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub value: f64,
    /// When its condition began to hold.
    pub active_at: Timestamp,
    /// When it fired.
    pub fired_at: Option<Timestamp>,
    /// When its condition stopped holding though it still fires, because of `keep_firing_for`.
    pub keep_firing_since: Option<Timestamp>,
    /// Since when there is no data to judge it by; it is then neither resolved nor forgotten.
    pub no_data_since: Option<Timestamp>,
    /// When it ended.
    pub resolved_at: Option<Timestamp>,
}

/// Numbers as text, because JSON has neither NaN nor infinities.
mod number {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// How the evaluation of a rule goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RuleHealth {
    /// It was not evaluated yet.
    Unknown,
    /// It was evaluated.
    Ok,
    /// What it reads had data and has none any more.
    NoData,
    /// It could not be evaluated.
    Error,
}

/// What a rule makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// Alerts.
    Alerting,
    /// A series.
    Recording,
}

/// One rule as pages, API and CLI show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RuleView {
    /// Name of the alert or of the recorded series.
    pub name: String,
    /// What it makes.
    pub kind: RuleKind,
    /// Its group.
    pub group: String,
    /// The file; `insightdesk.yml (built in)` for the rules that come with the program.
    pub file: String,
    /// The expression.
    pub expr: String,
    /// Pause between two evaluations that no sample wakes, in seconds.
    pub interval_s: f64,
    /// Most alerts or series that it may make; 0: any number.
    pub limit: u64,
    /// How long the condition must hold, in seconds.
    pub for_s: f64,
    /// How long it fires on after the condition ended, in seconds.
    pub keep_firing_for_s: f64,
    /// Labels it adds, not rendered.
    pub labels: BTreeMap<String, String>,
    /// Annotations it adds, not rendered.
    pub annotations: BTreeMap<String, String>,
    /// How its evaluation goes.
    pub health: RuleHealth,
    /// Why it could not be evaluated.
    pub last_error: Option<String>,
    /// When it was last evaluated.
    pub last_evaluated_at: Option<Timestamp>,
    /// How long that took, in seconds.
    pub evaluation_s: f64,
    /// How it stands: green only when it was evaluated on data that is there.
    pub tone: Tone,
    /// Its pending and firing alerts, and those resolved a short while ago; at most 100.
    pub alerts: Vec<Alert>,
    /// How many are pending and firing.
    pub pending: u64,
    /// How many fire.
    pub firing: u64,
}

/// `GET /api/alerts`, and what `/alerts` shows: what fires, since when, and does every rule work?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AlertsView {
    /// Every rule: firing first, then those that do not work, then pending, then the rest by file and place.
    pub rules: Vec<RuleView>,
    /// Firing alerts in all.
    pub firing: u64,
    /// Pending alerts in all.
    pub pending: u64,
    /// Rules that cannot be evaluated or have lost their data.
    pub unhealthy: u64,
    /// Rule files that could not be loaded, and why; what they held before is still evaluated.
    pub load_faults: Vec<String>,
    /// Where expressions are evaluated when that is not here.
    pub query_url: Option<String>,
    /// When this was put together.
    pub at: Timestamp,
}

/// What `/explore` shows: what does this expression say, now and over a while?
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExploreView {
    /// The expression; empty before one was asked.
    pub expr: String,
    /// Length of the range that is drawn, in seconds.
    pub range_s: u64,
    /// Why there is no answer.
    pub error: Option<String>,
    /// What is probably wrong with the expression or the data.
    pub warnings: Vec<String>,
    /// The newest value per series, at most 200.
    pub rows: Vec<ExploreRow>,
    /// How many series there are in all.
    pub total: u64,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// Names of metrics, for the field's suggestions; at most 1,000.
    pub metrics: Vec<String>,
    /// When it was asked.
    pub at: Timestamp,
}

/// One series on `/explore`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExploreRow {
    /// The label set as PromQL writes it.
    pub series: String,
    /// The value now, as text; absent when the series has none at this moment.
    pub value: Option<String>,
    /// Points over the range, oldest first: seconds since the epoch and value; gaps are left out.
    pub points: Vec<(f64, f64)>,
}
