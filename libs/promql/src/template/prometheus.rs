//! The functions that Prometheus adds to Go's templates.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use regex::RegexBuilder;

use super::number::float;
use super::value::Value;
use super::{Context, TemplateError, time};

/// Their names.
pub(super) const FUNCTIONS: [&str; 29] = [
    "query",
    "first",
    "label",
    "value",
    "strvalue",
    "args",
    "reReplaceAll",
    "safeHtml",
    "match",
    "title",
    "toUpper",
    "toLower",
    "graphLink",
    "tableLink",
    "sortByLabel",
    "stripPort",
    "stripDomain",
    "humanize",
    "humanize1024",
    "humanizeDuration",
    "humanizePercentage",
    "humanizeTimestamp",
    "toTime",
    "toDuration",
    "pathPrefix",
    "externalURL",
    "parseDuration",
    "parseDurationTime",
    "urlQueryEscape",
];

/// Largest compiled regular expression in bytes.
const REGEX_BYTES: usize = 1 << 20;

/// The value of such a function. Its text may have `most` bytes.
pub(super) fn call(
    name: &str,
    arguments: &[Value],
    context: &Context<'_>,
    most: usize,
) -> Result<Value, TemplateError> {
    match (name, arguments) {
        ("query", [Value::Text(expression)]) => query(context, expression),
        ("pathPrefix", []) => Ok(Value::text(path(context.external_url))),
        ("externalURL", []) => Ok(Value::text(context.external_url)),
        _ => pure(name, arguments, most).unwrap_or_else(|| Err(not_taken(name, arguments))),
    }
}

/// A function was given what it does not take.
pub(super) fn not_taken(name: &str, arguments: &[Value]) -> TemplateError {
    let kinds: Vec<&str> = arguments.iter().map(Value::kind).collect();
    TemplateError::new(format!("{name} does not take ({})", kinds.join(", ")))
}

/// Those of them that need to know nothing but their arguments.
pub(super) fn pure(name: &str, arguments: &[Value], most: usize) -> Option<Result<Value, TemplateError>> {
    let text = |it: String| Ok(Value::text(it));
    Some(match (name, arguments) {
        ("first", [Value::Samples(it)]) => match it.first() {
            Some((labels, value)) => Ok(Value::Sample(labels.clone(), *value)),
            None => Err(TemplateError::new("first() of a query that gave nothing")),
        },
        ("label", [Value::Text(name), Value::Sample(labels, _)]) => {
            Ok(Value::text(labels.get(name).unwrap_or_default()))
        }
        ("value", [Value::Sample(_, value)]) => Ok(Value::Float(*value)),
        ("strvalue", [Value::Sample(labels, _)]) => {
            Ok(Value::text(labels.get("__value__").unwrap_or_default()))
        }
        ("args", all) => {
            let named = all.iter().enumerate().map(|(at, it)| (format!("arg{at}"), it.clone()));
            Ok(Value::Map(Arc::new(named.collect::<BTreeMap<_, _>>())))
        }
        ("sortByLabel", [Value::Text(label), Value::Samples(it)]) => Ok(Value::Samples(sorted(label, it))),
        ("reReplaceAll", [Value::Text(pattern), Value::Text(with), Value::Text(it)]) => {
            replace_all(pattern, with, it, most)
        }
        ("match", [Value::Text(pattern), Value::Text(it)]) => {
            regex(pattern).map(|regex| Value::Bool(regex.is_match(it)))
        }
        ("safeHtml", [Value::Text(it)]) => Ok(Value::Text(Arc::clone(it))),
        ("title", [Value::Text(it)]) => text(title(it)),
        ("toUpper", [Value::Text(it)]) => text(it.to_uppercase()),
        ("toLower", [Value::Text(it)]) => text(it.to_lowercase()),
        ("graphLink", [Value::Text(it)]) => text(format!("/graph?g0.expr={}&g0.tab=0", query_escape(it))),
        ("tableLink", [Value::Text(it)]) => text(format!("/graph?g0.expr={}&g0.tab=1", query_escape(it))),
        ("urlQueryEscape", [Value::Text(it)]) => text(query_escape(it)),
        ("stripPort", [Value::Text(it)]) => text(host_port(it).map_or(&**it, |(host, _)| host).to_owned()),
        ("stripDomain", [Value::Text(it)]) => text(strip_domain(it)),
        ("parseDuration" | "parseDurationTime", [Value::Text(it)]) => parse_duration(name, it),
        _ => return of_number(name, arguments),
    })
}

/// Those that take a number.
fn of_number(name: &str, arguments: &[Value]) -> Option<Result<Value, TemplateError>> {
    let [it] = arguments else { return None };
    let text = |shown: fn(f64) -> String| number(it).map(|it| Value::text(shown(it)));
    Some(match name {
        "humanize" => text(humanize),
        "humanize1024" => text(humanize_1024),
        "humanizeDuration" => text(humanize_duration),
        "humanizePercentage" => text(|it| format!("{}%", four(it * 100.0))),
        "humanizeTimestamp" => number(it).and_then(|it| match it {
            seconds if seconds.is_finite() => Ok(Value::text(time::text(moment(seconds)?))),
            other => Ok(Value::text(four(other))),
        }),
        "toTime" => number(it).and_then(|it| moment(it).map(Value::Time)),
        "toDuration" => number(it).and_then(|it| nanoseconds(it).map(Value::Duration)),
        _ => return None,
    })
}

fn query(context: &Context<'_>, expression: &str) -> Result<Value, TemplateError> {
    let found = (context.query)(expression)
        .map_err(|reason| TemplateError::new(format!("query {expression:?}: {reason}")))?;
    Ok(Value::Samples(Arc::new(found.into_iter().map(|it| (it.labels, it.sample.value)).collect())))
}

fn sorted(label: &str, samples: &[(ops_samples::Labels, f64)]) -> Arc<Vec<(ops_samples::Labels, f64)>> {
    let mut samples = samples.to_vec();
    samples.sort_by(|(a, _), (b, _)| a.get(label).unwrap_or_default().cmp(b.get(label).unwrap_or_default()));
    Arc::new(samples)
}

/// A number of any kind, or a text that says one.
fn number(value: &Value) -> Result<f64, TemplateError> {
    match value {
        Value::Float(it) => Ok(*it),
        #[allow(clippy::cast_precision_loss, reason = "as in Go")]
        Value::Int(it) => Ok(*it as f64),
        #[allow(clippy::cast_precision_loss, reason = "as in Go")]
        Value::Duration(it) => Ok(*it as f64 / 1e9),
        Value::Text(it) => it.parse().map_err(|_| TemplateError::new(format!("{it:?} is no number"))),
        other => Err(TemplateError::new(format!("a {} is no number", other.kind()))),
    }
}

fn moment(seconds: f64) -> Result<i64, TemplateError> {
    time::from_seconds(seconds).ok_or_else(|| TemplateError::new(format!("{seconds} s is no time")))
}

fn nanoseconds(seconds: f64) -> Result<i64, TemplateError> {
    let nanos = seconds * 1e9;
    #[allow(clippy::cast_possible_truncation, reason = "the range was looked at")]
    if nanos.abs() < 9.2e18 {
        Ok(nanos as i64)
    } else {
        Err(TemplateError::new(format!("{seconds} s is no duration")))
    }
}

fn parse_duration(name: &str, text: &str) -> Result<Value, TemplateError> {
    let seconds = time::parse_duration(text)
        .ok_or_else(|| TemplateError::new(format!("{text:?} is no duration: write it like 1h30m")))?;
    if name == "parseDuration" {
        Ok(Value::Float(seconds))
    } else {
        nanoseconds(seconds).map(Value::Duration)
    }
}

fn regex(pattern: &str) -> Result<regex::Regex, TemplateError> {
    RegexBuilder::new(pattern)
        .size_limit(REGEX_BYTES)
        .build()
        .map_err(|error| TemplateError::new(format!("the pattern {pattern:?} is wrong: {error}")))
}

/// As the crate's own `replace_all`, but it stops before the text grows beyond `most`.
fn replace_all(pattern: &str, with: &str, text: &str, most: usize) -> Result<Value, TemplateError> {
    let regex = regex(pattern)?;
    let mut out = String::new();
    let mut end = 0;
    for found in regex.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        out.push_str(text.get(end..whole.start()).unwrap_or_default());
        found.expand(with, &mut out);
        end = whole.end();
        if out.len() > most {
            return Err(TemplateError::new(format!("reReplaceAll makes more than {most} bytes")));
        }
    }
    out.push_str(text.get(end..).unwrap_or_default());
    Ok(Value::text(out))
}

/// Each letter that begins a word as a capital; letters, digits and underscores make words.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        let part_of_word = c.is_ascii_alphanumeric() || c == '_' || (!c.is_ascii() && !c.is_whitespace());
        if inside || !c.is_alphabetic() {
            out.push(c);
        } else {
            out.extend(c.to_uppercase());
        }
        inside = part_of_word;
    }
    out
}

/// Host and port of `host:port`, `[host]:port`; `None` where Go's `net.SplitHostPort` fails.
fn host_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']')?;
        return (!inner.contains(['[', ']']) && !port.contains(['[', ']'])).then_some((inner, port));
    }
    let plain = !host.contains([':', '[', ']']) && !port.contains(['[', ']']);
    plain.then_some((host, port))
}

fn strip_domain(text: &str) -> String {
    let (host, port) = host_port(text).unwrap_or((text, ""));
    if host.parse::<IpAddr>().is_ok() {
        return text.to_owned();
    }
    let host = host.split('.').next().unwrap_or_default();
    match port {
        "" => host.to_owned(),
        port if host.contains(':') => format!("[{host}]:{port}"),
        port => format!("{host}:{port}"),
    }
}

/// The path of a URL.
fn path(url: &str) -> &str {
    let after = url.split_once("://").map_or("", |(_, rest)| rest);
    let path = after.find('/').and_then(|at| after.get(at..)).unwrap_or_default();
    path.split(['?', '#']).next().unwrap_or_default()
}

/// As Go's `url.QueryEscape`.
pub(super) fn query_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Four significant digits: Go's `%.4g`.
fn four(value: f64) -> String {
    float(value, 'g', Some(4))
}

/// Divides by `by` for each prefix until the number is small enough.
fn scaled(mut value: f64, by: f64, prefixes: &[&'static str]) -> (f64, &'static str) {
    let mut chosen = "";
    for prefix in prefixes {
        if value.abs() < by {
            break;
        }
        chosen = prefix;
        value /= by;
    }
    (value, chosen)
}

/// Multiplies a number below one by a thousand for each prefix until it is at least one.
fn magnified(mut value: f64) -> (f64, &'static str) {
    let mut chosen = "";
    for prefix in ["m", "u", "n", "p", "f", "a", "z", "y"] {
        if value.abs() >= 1.0 {
            break;
        }
        chosen = prefix;
        value *= 1000.0;
    }
    (value, chosen)
}

fn humanize(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return four(value);
    }
    let (value, prefix) = if value.abs() >= 1.0 {
        scaled(value, 1000.0, &["k", "M", "G", "T", "P", "E", "Z", "Y"])
    } else {
        magnified(value)
    };
    format!("{}{prefix}", four(value))
}

fn humanize_1024(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return four(value);
    }
    let (value, prefix) = scaled(value, 1024.0, &["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"]);
    format!("{}{prefix}", four(value))
}

fn humanize_duration(value: f64) -> String {
    if !value.is_finite() {
        return four(value);
    }
    if value == 0.0 {
        return format!("{}s", four(value));
    }
    if value.abs() < 1.0 {
        let (value, prefix) = magnified(value);
        return format!("{}{prefix}s", four(value));
    }
    let (sign, size) = (if value < 0.0 { "-" } else { "" }, value.abs());
    #[allow(clippy::cast_possible_truncation, reason = "the fraction is left out")]
    // What does not fit is the smallest number, as Go has it.
    let whole = if size < 9.223_372_036_854_776e18 { size as i64 } else { i64::MIN };
    let (days, hours, minutes, seconds) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{}s", four(size)),
        (0, 0, _) => format!("{sign}{minutes}m {seconds}s"),
        (0, ..) => format!("{sign}{hours}h {minutes}m {seconds}s"),
        _ => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
    }
}
