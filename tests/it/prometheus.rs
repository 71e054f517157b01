//! A real Prometheus beside us: the same samples, the same questions over HTTP, the same answers. Where they differ because its
//! version is another than the one whose rules we follow, the difference is named and must be exactly that.

mod answers;
mod data;
pub(crate) mod peer;

use futures::StreamExt;
use ops_tests::System;
use ops_tests::system::http_client;
use reqwest::Client;
use serde_json::Value;

use answers::{Said, When, ask};
use peer::Prometheus;

use crate::toys::TOYS;

const QUERIES: &str = include_str!("prometheus/queries.txt");

/// So many seconds ago the samples begin; they end an hour ago.
const AGO_S: i64 = 4 * 3_600;

/// Both, over the same samples.
struct Both {
    http: Client,
    theirs: Prometheus,
    _system: System,
    ours: String,
    token: String,
    begin_s: i64,
}

impl Both {
    async fn start() -> Option<Self> {
        if !Prometheus::is_installed() {
            tell("skipped: prometheus or promtool is not installed");
            return None;
        }
        let system = System::start(TOYS).await.unwrap();
        let now_s = system.now().await.unwrap().at.0 / 1_000_000;
        let begin_s = (now_s - AGO_S) / 3_600 * 3_600;
        let series = data::series(begin_s);
        let theirs = Prometheus::over(&data::openmetrics(&series)).await;
        let client: Value =
            serde_json::from_slice(&std::fs::read(system.state().join("client.json")).unwrap()).unwrap();
        let text = |key: &str| client[key].as_str().unwrap().to_owned();
        let (url, token, http) = (text("url"), text("token"), http_client().unwrap());
        let ours = format!("{url}/prometheus/api/v1");
        for write in data::remote_writes(&series) {
            let answer = http
                .post(format!("{ours}/write"))
                .bearer_auth(&token)
                .header("Content-Encoding", "snappy")
                .header("Content-Type", "application/x-protobuf")
                .header("X-Prometheus-Remote-Write-Version", "0.1.0")
                .body(write)
                .send()
                .await
                .unwrap();
            let status = answer.status();
            assert!(status.is_success(), "{status}: {}", answer.text().await.unwrap());
        }
        Some(Self { http, theirs, _system: system, ours, token, begin_s })
    }

    /// What they say and what we say.
    async fn ask(&self, expr: &str, when: When) -> (Said, Said) {
        let theirs = ask(&self.http, &self.theirs.api, None, expr, when);
        let ours = ask(&self.http, &self.ours, Some(&self.token), expr, when);
        futures::join!(theirs, ours)
    }

    /// So many seconds after the first sample's whole second, since the epoch.
    fn at(&self, seconds: f64) -> f64 {
        self.begin_s as f64 + seconds
    }

    /// Seven seconds past a minute, where no sample and no step of a subquery is: in a gap, in the midst, past the end.
    fn moments(&self) -> [When; 4] {
        [
            When::At(self.at(56.0 * 60.0 + 7.0)),
            When::At(self.at(131.0 * 60.0 + 7.0)),
            When::At(self.at(182.0 * 60.0 + 7.0)),
            When::Over(self.at(20.0 * 60.0 + 7.0), self.at(170.0 * 60.0 + 7.0), 60.0),
        ]
    }
}

#[tokio::test]
async fn prometheus_and_we_answer_alike_and_differ_only_where_the_version_says_so() {
    let Some(both) = Both::start().await else { return };
    let version = both.theirs.version().await;
    alike(&both, &version).await;
    if version.starts_with("2.") {
        for difference in DIFFERENCES {
            difference.check(&both).await;
        }
    }
}

/// Every query at every moment.
async fn alike(both: &Both, version: &str) {
    let queries: Vec<&str> =
        QUERIES.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).collect();
    assert!(queries.len() >= 120, "{}", queries.len());
    let questions = queries.iter().flat_map(|expr| both.moments().map(|when| (*expr, when)));
    let asked =
        futures::stream::iter(questions).map(async |(expr, when)| (expr, when, both.ask(expr, when).await));
    let answers: Vec<_> = asked.buffered(4).collect().await;
    let mut wrong = Vec::new();
    let (mut samples, mut errors) = (0, 0);
    for (expr, when, (theirs, ours)) in &answers {
        samples += theirs.samples();
        errors += usize::from(matches!(theirs, Said::Error(_)));
        if let Some(why) = theirs.differs(ours) {
            wrong.push(format!("{expr}\n    {when:?}: {why}"));
        }
    }
    tell(&format!(
        "{} queries, {} questions, {errors} of them refused, {samples} samples of Prometheus {version}, {} differ",
        queries.len(),
        answers.len(),
        wrong.len()
    ));
    // A comparison of nothing with nothing would prove nothing.
    assert!(samples > 100_000 && errors * 5 < answers.len(), "{samples} samples, {errors} errors");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is said where the versions differ.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// It is refused.
    Refused,
    /// Exactly these values.
    Values(&'static [f64]),
}

/// A question that Prometheus 2 answers in another way than Prometheus 3 and we.
struct Difference {
    expr: &'static str,
    /// Seconds after the first sample's whole second.
    at_s: f64,
    theirs: Expected,
    ours: Expected,
    /// Why.
    because: &'static str,
}

/// Of Prometheus 3 with `promql-delayed-name-removal`.
const NAME_AT_THE_END: &str = "a metric's name is dropped from the answer and not on the way, as Prometheus' own tests have it since 3.0";

/// Samples lie an eighth of a second after every fifteenth second.
const DIFFERENCES: &[Difference] = &[
    Difference {
        expr: "count_over_time(lonely[1m])",
        at_s: 3_600.125,
        theirs: Expected::Values(&[5.0]),
        ours: Expected::Values(&[4.0]),
        because: "ranges are left-open since 3.0: a sample at the very beginning is not in them",
    },
    Difference {
        expr: "count_over_time(vector(1)[5m:1m])",
        at_s: 3_600.0,
        theirs: Expected::Values(&[6.0]),
        ours: Expected::Values(&[5.0]),
        because: "ranges of subqueries are left-open since 3.0",
    },
    Difference {
        expr: "max_over_time(count_over_time(vector(1)[5m:1m])[10m:2m])",
        at_s: 3_607.0,
        theirs: Expected::Values(&[6.0]),
        ours: Expected::Values(&[5.0]),
        because: "the same within another subquery, whose steps lie where the inner one's do",
    },
    Difference {
        expr: "ended",
        at_s: 499.0 * 15.0 + 300.125,
        theirs: Expected::Values(&[998.0]),
        ours: Expected::Values(&[]),
        because: "the look-back is left-open since 3.0: a sample that is five minutes old is too old",
    },
    Difference {
        expr: "count(lines{path=~\"one.two\"})",
        at_s: 3_600.0,
        theirs: Expected::Values(&[]),
        ours: Expected::Values(&[1.0]),
        because: "since 3.0 a dot in a matcher's expression matches the end of a line too",
    },
    Difference {
        expr: "count(label_replace(lines, \"new\", \"x\", \"path\", \"one.*\") and on (new) label_replace(vector(1), \"new\", \"x\", \"\", \"\"))",
        at_s: 3_600.0,
        theirs: Expected::Values(&[]),
        ours: Expected::Values(&[1.0]),
        because: "since 3.0 a dot in label_replace's expression matches the end of a line too",
    },
    Difference {
        expr: "count({\"lonely\"})",
        at_s: 3_600.0,
        theirs: Expected::Refused,
        ours: Expected::Values(&[1.0]),
        because: "names may be quoted since 3.0",
    },
    Difference {
        expr: "5m * 2",
        at_s: 3_600.0,
        theirs: Expected::Refused,
        ours: Expected::Values(&[600.0]),
        because: "durations are numbers since 2.54",
    },
    Difference {
        expr: "{__name__=~\"memory_.*\"} atan2 Inf",
        at_s: 3_600.0,
        theirs: Expected::Values(&[0.0; 6]),
        ours: Expected::Refused,
        because: "atan2 drops the metric's name since 2.47, and two metrics have the same other labels",
    },
    Difference {
        expr: "count((temperature * 2) and on (__name__) temperature)",
        at_s: 3_600.0,
        theirs: Expected::Values(&[]),
        ours: Expected::Values(&[4.0]),
        because: NAME_AT_THE_END,
    },
    Difference {
        expr: "count(label_replace(rate(lonely[5m]), \"n\", \"$1\", \"__name__\", \"(.+)\") and on (n) label_replace(vector(1), \"n\", \"lonely\", \"\", \"\"))",
        at_s: 3_600.0,
        theirs: Expected::Values(&[]),
        ours: Expected::Values(&[1.0]),
        because: NAME_AT_THE_END,
    },
    Difference {
        expr: "count(rate({__name__=~\"memory_.*\"}[5m]))",
        at_s: 3_600.0,
        theirs: Expected::Refused,
        ours: Expected::Values(&[6.0]),
        because: NAME_AT_THE_END,
    },
    Difference {
        expr: "count(weird{kind!=\"now_and_then\"} > on (job) lonely)",
        at_s: 3_600.0,
        theirs: Expected::Values(&[1.0]),
        ours: Expected::Refused,
        because: "since 3.9 several matches are refused before a comparison drops any of them",
    },
    Difference {
        expr: "count_over_time(predict_linear(ended[1m] @ end(), 60)[10m:1m])",
        at_s: 7_487.0,
        theirs: Expected::Values(&[1.0]),
        ours: Expected::Values(&[10.0]),
        because: "until 2.51 a range with @ moved on with the steps in predict_linear",
    },
    Difference {
        expr: "count(stddev(weird{kind=\"inf\"}) == 0)",
        at_s: 3_600.0,
        theirs: Expected::Values(&[1.0]),
        ours: Expected::Values(&[]),
        because: "the deviation of a single infinity is no number since 3.0",
    },
    Difference {
        expr: "time() - timestamp(lonely @ start() offset 5m)",
        at_s: 3_607.0,
        theirs: Expected::Values(&[]),
        ours: Expected::Values(&[306.875]),
        because: "timestamp() of a selector with @ forgets the offset in every version of theirs",
    },
    Difference {
        expr: "round(increase(newcomer_total[10m]), 0.001)",
        at_s: 4_800.0,
        theirs: Expected::Values(&[61.975]),
        ours: Expected::Values(&[61.475]),
        because: "since 2.51 a counter that is young is extended by half an interval at most, and not up to where it was 0",
    },
    Difference {
        expr: "count(holt_winters(temperature[10m], 0.5, 0.5))",
        at_s: 3_600.0,
        theirs: Expected::Values(&[4.0]),
        ours: Expected::Refused,
        because: "holt_winters was renamed in 3.0, and what it is called now is experimental",
    },
];

impl Difference {
    async fn check(&self, both: &Both) {
        let (theirs, ours) = both.ask(self.expr, When::At(both.at(self.at_s))).await;
        for (who, said, expected) in [("they", theirs, self.theirs), ("we", ours, self.ours)] {
            let as_expected = match expected {
                Expected::Refused => matches!(said, Said::Error(_)),
                Expected::Values(expected) => said.values().is_some_and(|it| it == expected),
            };
            assert!(
                as_expected,
                "{}: {who} say {said:?} instead of {expected:?} ({})",
                self.expr, self.because
            );
        }
    }
}

#[allow(clippy::print_stdout, reason = "what was left out and what was compared is to be seen")]
fn tell(words: &str) {
    println!("{words}");
}
