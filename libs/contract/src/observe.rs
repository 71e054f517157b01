use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::stack::seconds;

/// `[alerts]`: which rules are evaluated, and on what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AlertsSpec {
    /// Prometheus rule files, absolute; the last part may hold `*`.
    pub rules: Vec<String>,
    /// Whether the rules that come with the program are evaluated too.
    pub builtin: bool,
    /// Pause between two evaluations of what no sample wakes (the team: 15 s); a group may set its own.
    #[serde(rename = "evaluation_interval_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub evaluation_interval: Duration,
    /// A Prometheus-compatible backend that expressions are asked of instead of the own series: its address up to, not
    /// with, `/api/v1`.
    pub query_url: Option<String>,
    /// Name of the secret that is sent there as bearer token.
    pub query_token_secret: Option<String>,
    /// Labels of whatever leaves this system, unless the series has them.
    pub external_labels: BTreeMap<String, String>,
    /// Alertmanager's configuration file, absolute: who is told of what. `None`: all goes to the server's log.
    pub alertmanager_file: Option<String>,
    /// Schedules and escalation policies, absolute.
    pub oncall_file: Option<String>,
    /// The receiver that is told what another one refuses for good; `None`: the route's root receiver.
    pub fallback_receiver: Option<String>,
    /// An address outside that is called again and again: who hears nothing pages.
    pub heartbeat_url: Option<String>,
    /// Pause between two calls.
    #[serde(rename = "heartbeat_interval_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub heartbeat_interval: Duration,
    /// Jobs that report in by `POST /api/heartbeats/NAME`, and the longest pause between two reports in seconds.
    pub heartbeats: BTreeMap<String, u64>,
}

impl Default for AlertsSpec {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            builtin: true,
            evaluation_interval: Duration::from_secs(15),
            query_url: None,
            query_token_secret: None,
            external_labels: BTreeMap::new(),
            alertmanager_file: None,
            oncall_file: None,
            fallback_receiver: None,
            heartbeat_url: None,
            heartbeat_interval: Duration::from_secs(60),
            heartbeats: BTreeMap::new(),
        }
    }
}

/// `[telemetry]`: how series are kept and where else they are sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TelemetrySpec {
    /// How long samples are kept.
    #[serde(rename = "retention_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub retention: Duration,
    /// Most bytes on disk; the oldest go first.
    pub retention_bytes: u64,
    /// Most series that get samples; more are refused, and that is said.
    pub max_series: u64,
    /// How much older than a series' newest sample another may be and still be taken.
    #[serde(rename = "out_of_order_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub out_of_order: Duration,
    /// Where every sample is sent too.
    pub remote_write: Vec<RemoteWriteSpec>,
}

impl Default for TelemetrySpec {
    fn default() -> Self {
        Self {
            retention: Duration::from_secs(15 * 86_400),
            retention_bytes: 1 << 30,
            max_series: 500_000,
            out_of_order: Duration::from_secs(300),
            remote_write: Vec::new(),
        }
    }
}

/// A receiver of Prometheus remote write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RemoteWriteSpec {
    /// Its address.
    pub url: String,
    /// Name of the secret that is sent there as bearer token.
    #[serde(default)]
    pub token_secret: Option<String>,
}

/// Something that answers with metrics, and how often it is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ScrapeSpec {
    /// The label `job`.
    pub job: String,
    /// `host:port` of each target, with the labels that only it has.
    pub targets: Vec<ScrapeTarget>,
    /// `http` or `https`.
    pub scheme: String,
    /// Path of the answer.
    pub path: String,
    /// Parameters of the question.
    #[serde(default)]
    pub params: Vec<(String, String)>,
    /// Pause between two questions.
    #[serde(rename = "interval_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub interval: Duration,
    /// Longest wait for an answer.
    #[serde(rename = "timeout_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub timeout: Duration,
    /// Labels of the answer win over those of the target.
    #[serde(default)]
    pub honor_labels: bool,
    /// Times of the answer are taken.
    #[serde(default = "yes")]
    pub honor_timestamps: bool,
    /// Most samples of an answer; one with more counts as failed. 0: no limit.
    #[serde(default)]
    pub sample_limit: u64,
    /// What is done to the labels of targets.
    #[serde(default)]
    pub relabel: Vec<Relabel>,
    /// What is done to the labels of samples.
    #[serde(default)]
    pub metric_relabel: Vec<Relabel>,
}

fn yes() -> bool {
    true
}

/// One target of a [`ScrapeSpec`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ScrapeTarget {
    /// `host:port`.
    pub address: String,
    /// Its own labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// One step of Prometheus' relabelling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Relabel {
    /// What is done.
    pub action: RelabelAction,
    /// Labels whose values are joined.
    pub source_labels: Vec<String>,
    /// Between them.
    pub separator: String,
    /// What the joined values are held against, as a whole.
    pub regex: String,
    /// For `hashmod`.
    pub modulus: u64,
    /// The label that is written.
    pub target_label: String,
    /// What is written; `$1` is the first group.
    pub replacement: String,
}

impl Default for Relabel {
    fn default() -> Self {
        Self {
            action: RelabelAction::Replace,
            source_labels: Vec::new(),
            separator: ";".to_owned(),
            regex: "(.*)".to_owned(),
            modulus: 0,
            target_label: String::new(),
            replacement: "$1".to_owned(),
        }
    }
}

/// What a step of relabelling does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum RelabelAction {
    /// Writes `replacement` into `target_label` where `regex` matches.
    #[default]
    Replace,
    /// Drops what does not match.
    Keep,
    /// Drops what matches.
    Drop,
    /// Keeps what has the value of `target_label`.
    KeepEqual,
    /// Drops what has the value of `target_label`.
    DropEqual,
    /// Writes a number below `modulus`.
    HashMod,
    /// Copies labels whose name matches to the name `replacement`.
    LabelMap,
    /// Takes away labels whose name matches.
    LabelDrop,
    /// Takes away labels whose name does not match.
    LabelKeep,
    /// Writes the value in lower case.
    Lowercase,
    /// Writes the value in upper case.
    Uppercase,
}

impl RelabelAction {
    /// As it is written in a configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::KeepEqual => "keepequal",
            Self::DropEqual => "dropequal",
            Self::HashMod => "hashmod",
            Self::LabelMap => "labelmap",
            Self::LabelDrop => "labeldrop",
            Self::LabelKeep => "labelkeep",
            Self::Lowercase => "lowercase",
            Self::Uppercase => "uppercase",
        }
    }
}
