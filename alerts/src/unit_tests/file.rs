//! The file format of `promtool test rules`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ops_promql::template::parse_duration;
use serde::{Deserialize, Deserializer, de::Error};

/// Longest test file in bytes.
const LONGEST: usize = 8 << 20;

/// A file of rule tests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestFile {
    /// Rule files, relative to this file; the last part may hold `*`.
    #[serde(default)]
    pub rule_files: Vec<String>,
    /// Pause between two evaluations (default: 1 min); intervals of groups do not count here.
    #[serde(default, deserialize_with = "optional_duration")]
    pub evaluation_interval: Option<Duration>,
    /// Names of groups that are evaluated first, in this order.
    #[serde(default)]
    pub group_eval_order: Vec<String>,
    /// The tests.
    #[serde(default)]
    pub tests: Vec<TestGroup>,
    /// Numbers may differ in their last bit.
    #[serde(default)]
    pub fuzzy_compare: bool,
}

/// One test: series, and what the rules make of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestGroup {
    /// What it is called.
    #[serde(default)]
    pub name: Option<String>,
    /// Time between two points of its series (default: the file's evaluation interval).
    #[serde(default, deserialize_with = "optional_duration")]
    pub interval: Option<Duration>,
    /// The series.
    #[serde(default)]
    pub input_series: Vec<InputSeries>,
    /// Which alerts must fire.
    #[serde(default)]
    pub alert_rule_test: Vec<AlertTest>,
    /// What expressions must give.
    #[serde(default)]
    pub promql_expr_test: Vec<ExpressionTest>,
    /// `$externalLabels` of templates.
    #[serde(default)]
    pub external_labels: BTreeMap<String, String>,
    /// `$externalURL` of templates.
    #[serde(default)]
    pub external_url: String,
}

/// One series of a test.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSeries {
    /// What names it: `up{job="api"}`.
    pub series: String,
    /// Its points: `1 1 0x4 _ stale`.
    #[serde(default)]
    pub values: String,
}

/// The alerts of one name that must fire at one time: these and no others.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertTest {
    /// When, counted from the first point.
    #[serde(default, deserialize_with = "duration")]
    pub eval_time: Duration,
    /// Name of the alert.
    pub alertname: String,
    /// What must fire.
    #[serde(default)]
    pub exp_alerts: Vec<ExpectedAlert>,
}

/// One alert that must fire.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedAlert {
    /// Its labels without `alertname`.
    #[serde(default)]
    pub exp_labels: Option<BTreeMap<String, String>>,
    /// Its annotations, rendered.
    #[serde(default)]
    pub exp_annotations: Option<BTreeMap<String, String>>,
}

/// What an expression must give at one time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpressionTest {
    /// The expression.
    pub expr: String,
    /// When, counted from the first point.
    #[serde(default, deserialize_with = "duration")]
    pub eval_time: Duration,
    /// What it must give, in any order.
    #[serde(default)]
    pub exp_samples: Vec<ExpectedSample>,
}

/// One sample that an expression must give.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedSample {
    /// What names the series: `up{job="api"}`.
    #[serde(default)]
    pub labels: String,
    /// Its value.
    #[serde(default, deserialize_with = "number")]
    pub value: f64,
    /// A native histogram: not supported.
    #[serde(default)]
    pub histogram: Option<String>,
}

/// A test file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestFileError {
    /// Where, counted from 1; 0 when it is nowhere in particular.
    pub line: usize,
    /// What is wrong, in words.
    pub problem: String,
}

impl fmt::Display for TestFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for TestFileError {}

impl TestFile {
    /// Reads a test file.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, TestFileError> {
        if text.len() > LONGEST {
            return Err(TestFileError {
                line: 0,
                problem: format!("the file is longer than {LONGEST} bytes"),
            });
        }
        let mut options = serde_saphyr::Options::default();
        options.with_snippet = false;
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let line = error.location().map_or(0, |it| usize::try_from(it.line()).unwrap_or(0));
            TestFileError { line, problem: error.to_string().trim_end().to_owned() }
        })
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let text = text.trim();
    parse_duration(text)
        .ok_or_else(|| D::Error::custom(format!("{text:?} is no duration: write it like 1h30m")))
}

fn optional_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

/// Numbers as YAML and Go write them: `.nan` and `NaN`, `.inf` and `+Inf`, `1e3`.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let plain = text.trim().to_ascii_lowercase().replace('_', "");
    let plain = plain.replace(".inf", "inf").replace(".nan", "nan");
    plain.parse().map_err(|_| D::Error::custom(format!("{text:?} is no number")))
}
