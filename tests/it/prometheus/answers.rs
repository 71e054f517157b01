//! Answers of the query API, and whether two say the same.

use std::collections::BTreeMap;

use reqwest::{Client, RequestBuilder};
use serde_json::Value;

/// What is asked of both.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    /// Seconds since the epoch.
    At(f64),
    /// Begin, end and step in seconds.
    Over(f64, f64, f64),
}

/// An answer in a form that can be compared.
#[derive(Clone, Debug)]
pub(super) enum Said {
    /// The kind of error.
    Error(String),
    /// One text.
    Text(String),
    /// The kind of result, and time and value of each sample by label set.
    Series(String, BTreeMap<String, Vec<(f64, f64)>>),
}

/// Asks an API that begins at `api`.
pub(super) async fn ask(http: &Client, api: &str, token: Option<&str>, expr: &str, when: When) -> Said {
    let mut form = vec![("query", expr.to_owned())];
    let path = match when {
        When::At(at) => {
            form.push(("time", at.to_string()));
            "query"
        }
        When::Over(start, end, step) => {
            let times = [("start", start), ("end", end), ("step", step)];
            form.extend(times.map(|(name, value)| (name, value.to_string())));
            "query_range"
        }
    };
    let mut request: RequestBuilder = http.post(format!("{api}/{path}")).form(&form);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    match serde_json::from_str::<Value>(&text) {
        // What was sorted is compared with its order.
        Ok(answer) => said(&answer, expr.starts_with("sort") && matches!(when, When::At(_))),
        Err(_) => Said::Error(format!("{status}: {text}")),
    }
}

fn said(answer: &Value, sorted: bool) -> Said {
    if answer["status"] != "success" {
        return Said::Error(answer["errorType"].as_str().unwrap_or("no error type").to_owned());
    }
    let (kind, result) =
        (answer["data"]["resultType"].as_str().unwrap_or_default(), &answer["data"]["result"]);
    match kind {
        "string" => Said::Text(result[1].as_str().unwrap_or_default().to_owned()),
        "scalar" => Said::Series(kind.to_owned(), BTreeMap::from([(String::new(), vec![sample(result)])])),
        _ => {
            let all = result.as_array().map(Vec::as_slice).unwrap_or_default();
            let series = all.iter().enumerate().map(|(place, it)| {
                let samples = match it["values"].as_array() {
                    Some(values) => values.iter().map(sample).collect(),
                    None => vec![sample(&it["value"])],
                };
                let place = if sorted { format!("{place}: ") } else { String::new() };
                (format!("{place}{}", it["metric"]), samples)
            });
            let by_labels: BTreeMap<_, _> = series.collect();
            assert_eq!(by_labels.len(), all.len(), "the same label set twice: {answer}");
            Said::Series(kind.to_owned(), by_labels)
        }
    }
}

/// Time and value.
fn sample(pair: &Value) -> (f64, f64) {
    let value = pair[1].as_str().unwrap_or("no value").replace("Inf", "inf");
    (pair[0].as_f64().unwrap_or(f64::NAN), value.parse().unwrap_or(f64::MIN_POSITIVE))
}

impl Said {
    /// How many samples it holds.
    pub(super) fn samples(&self) -> usize {
        match self {
            Self::Series(_, series) => series.values().map(Vec::len).sum(),
            _ => 0,
        }
    }

    /// The values of an instant vector, in the order of their labels.
    pub(super) fn values(&self) -> Option<Vec<f64>> {
        match self {
            Self::Series(_, series) => Some(series.values().flatten().map(|(_, value)| *value).collect()),
            _ => None,
        }
    }

    /// What differs between the two, if anything does: values to 1e-9 of their size, all else exactly.
    pub(super) fn differs(&self, other: &Self) -> Option<String> {
        match (self, other) {
            (Self::Error(one), Self::Error(two)) | (Self::Text(one), Self::Text(two)) => {
                (one != two).then(|| format!("{one} and {two}"))
            }
            (Self::Series(kind, one), Self::Series(other_kind, two)) => {
                if kind != other_kind {
                    return Some(format!("a {kind} and a {other_kind}"));
                }
                if let Some(only) = one.keys().find(|it| !two.contains_key(*it)) {
                    return Some(format!("only the first has {only}"));
                }
                if let Some(only) = two.keys().find(|it| !one.contains_key(*it)) {
                    return Some(format!("only the second has {only}"));
                }
                one.iter().zip(two.values()).find_map(|((labels, one), two)| {
                    let differs =
                        one.len() != two.len() || one.iter().zip(two).any(|(one, two)| !alike(*one, *two));
                    differs.then(|| format!("{labels}: {}", first_difference(one, two)))
                })
            }
            (one, two) => Some(format!("{} and {}", one.brief(), two.brief())),
        }
    }

    fn brief(&self) -> String {
        let text = format!("{self:?}");
        text.chars().take(300).collect()
    }
}

fn alike((at, one): (f64, f64), (other_at, two): (f64, f64)) -> bool {
    let close = (one - two).abs() <= 1e-9 * one.abs().max(two.abs());
    (at - other_at).abs() < 1e-6 && (one == two || close || (one.is_nan() && two.is_nan()))
}

fn first_difference(one: &[(f64, f64)], two: &[(f64, f64)]) -> String {
    let at =
        one.iter().zip(two).position(|(one, two)| !alike(*one, *two)).unwrap_or(one.len().min(two.len()));
    format!("{} and {} samples; {:?} and {:?}", one.len(), two.len(), one.get(at), two.get(at))
}
