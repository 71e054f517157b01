//! `insightdesk query`: what an expression says, now or over a while.

mod spark;

use comfy_table::Cell;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::output;

/// Points of a range when no step is given.
const POINTS: f64 = 60.0;

const EXAMPLES: &str = "\
The expression is PromQL. Without --range it is evaluated once; with it, each series is drawn.

Examples:
  insightdesk query 'ops_replica_up == 0'
  insightdesk query 'sum by (job) (rate(insightdesk_http_requests_total[5m]))' --range 1h
  insightdesk query 'ops_queue_jobs{state=\"waiting\"}' --time 2026-01-31T12:00:00Z
  insightdesk query up --json | jq '.data.result[].metric'";

/// Arguments of `query`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The expression, in quotation marks
    expr: String,
    /// When it is evaluated, or when the range ends: 2026-01-31T12:00:00Z or seconds since 1970 [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    time: Option<f64>,
    /// Length of the range, such as 30m or 6h
    #[arg(long, value_name = "SPAN", value_parser = span)]
    range: Option<f64>,
    /// Time between two points of the range [default: a sixtieth of it, at least 1s]
    #[arg(long, value_name = "SPAN", value_parser = span, requires = "range")]
    step: Option<f64>,
}

fn moment(text: &str) -> std::result::Result<f64, String> {
    if let Ok(seconds) = text.parse::<f64>()
        && seconds.is_finite()
    {
        return Ok(seconds);
    }
    let at: Timestamp = text
        .parse()
        .map_err(|_| "write a time like 2026-01-31T12:00:00Z, or seconds since 1970".to_owned())?;
    Ok(SignedDuration::from_nanos_i128(at.as_nanosecond()).as_secs_f64())
}

fn span(text: &str) -> std::result::Result<f64, String> {
    let span: SignedDuration = text.parse().map_err(|_| "write a time like 30s, 15m or 6h".to_owned())?;
    match span.as_secs_f64() {
        seconds if seconds > 0.0 => Ok(seconds),
        _ => Err("it must be more than zero".to_owned()),
    }
}

/// The server's answer, in Prometheus' shape.
#[derive(Deserialize)]
struct Reply {
    data: Data,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    infos: Vec<String>,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "snake_case")]
enum Data {
    Scalar(Point),
    String(Point),
    Vector(Vec<Instant>),
    Matrix(Vec<Range>),
}

/// Seconds since 1970, and the value as text.
type Point = (f64, String);

#[derive(Deserialize)]
struct Instant {
    metric: Map<String, Value>,
    value: Point,
}

#[derive(Deserialize)]
struct Range {
    metric: Map<String, Value>,
    values: Vec<Point>,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let path = path(arguments, Timestamp::now());
    let answer: Value = Client::find(globals)?.get(&path).await?;
    if globals.json {
        return output::json(&answer);
    }
    let reply: Reply = serde_json::from_value(answer).map_err(|error| {
        Failure::problems(format!(
            "the answer is not in Prometheus' shape: {error}. Do CLI and server have the same version?"
        ))
    })?;
    for remark in reply.warnings.iter().chain(&reply.infos) {
        output::note(remark);
    }
    say(&reply.data);
    Ok(())
}

/// The question as the server's Prometheus API takes it.
fn path(arguments: &Arguments, now: Timestamp) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("query", &arguments.expr);
    let Some(range) = arguments.range else {
        if let Some(at) = arguments.time {
            form.append_pair("time", &at.to_string());
        }
        return format!("/prometheus/api/v1/query?{}", form.finish());
    };
    let end = arguments.time.unwrap_or_else(|| now.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64());
    let step = arguments.step.unwrap_or_else(|| (range / POINTS).max(1.0));
    form.append_pair("start", &(end - range).to_string());
    form.append_pair("end", &end.to_string());
    form.append_pair("step", &step.to_string());
    format!("/prometheus/api/v1/query_range?{}", form.finish())
}

fn say(data: &Data) {
    match data {
        Data::Scalar((_, value)) | Data::String((_, value)) => output::say(value),
        Data::Vector(series) if series.is_empty() => nothing(),
        Data::Matrix(series) if series.is_empty() => nothing(),
        Data::Vector(series) => {
            let mut table = output::table(&["series", "value"]);
            for it in series {
                table.add_row(vec![Cell::new(name(&it.metric)), Cell::new(&it.value.1)]);
            }
            output::say_table(&table);
        }
        Data::Matrix(series) => {
            let (from, to) = spark::bounds(series.iter().flat_map(|it| &it.values));
            let mut table = output::table(&["series", "over time", "least", "most", "last"]);
            for it in series {
                let numbers = || it.values.iter().filter_map(|(_, value)| value.parse::<f64>().ok());
                let shown = |it: f64| if it.is_finite() { it.to_string() } else { "–".to_owned() };
                table.add_row(vec![
                    Cell::new(name(&it.metric)),
                    Cell::new(spark::line(&it.values, from, to)),
                    Cell::new(shown(numbers().fold(f64::INFINITY, f64::min))),
                    Cell::new(shown(numbers().fold(f64::NEG_INFINITY, f64::max))),
                    Cell::new(it.values.last().map_or("–", |(_, value)| value)),
                ]);
            }
            output::say_table(&table);
        }
    }
}

fn nothing() {
    output::say("no series: nothing matches, or nothing was measured at that time");
}

/// A label set as PromQL writes it.
fn name(metric: &Map<String, Value>) -> String {
    let mut text = String::new();
    let mut labels = Vec::new();
    for (label, value) in metric {
        let value = value.as_str().unwrap_or_default();
        if label == "__name__" {
            value.clone_into(&mut text);
        } else {
            labels.push(format!("{label}={value:?}"));
        }
    }
    if !labels.is_empty() || text.is_empty() {
        text.push_str(&format!("{{{}}}", labels.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(range: Option<f64>, time: Option<f64>) -> String {
        let arguments = Arguments { expr: "a{b=\"c d\"}[5m]".to_owned(), time, range, step: None };
        path(&arguments, Timestamp::from_second(1_000_000).unwrap())
    }

    #[test]
    fn the_question_is_what_prometheus_understands() {
        let expr = "query=a%7Bb%3D%22c+d%22%7D%5B5m%5D";
        assert_eq!(asked(None, None), format!("/prometheus/api/v1/query?{expr}"));
        assert_eq!(asked(None, Some(5.5)), format!("/prometheus/api/v1/query?{expr}&time=5.5"));
        assert_eq!(
            asked(Some(3600.0), None),
            format!("/prometheus/api/v1/query_range?{expr}&start=996400&end=1000000&step=60")
        );
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(moment("1970-01-01T00:01:00.5Z"), Ok(60.5));
        assert_eq!(moment("17"), Ok(17.0));
        assert!(moment("yesterday").is_err() && moment("NaN").is_err());
        assert!(span("15s").is_ok() && span("0s").is_err() && span("x").is_err());
    }

    #[test]
    fn answers_of_every_kind_are_read() {
        for answer in [
            r#"{"resultType":"scalar","result":[1.5,"1"]}"#,
            r#"{"resultType":"string","result":[1.5,"x"]}"#,
            r#"{"resultType":"vector","result":[{"metric":{"__name__":"up"},"value":[1,"+Inf"]}]}"#,
            r#"{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"],[2,"NaN"]]}]}"#,
        ] {
            let data: Data = serde_json::from_str(answer).unwrap();
            say(&data);
        }
        let metric = serde_json::json!({"__name__": "up", "job": "a\"b"});
        assert_eq!(name(metric.as_object().unwrap()), r#"up{job="a\"b"}"#);
        assert_eq!(name(&Map::new()), "{}");
    }
}
