//! What templates can call beside Go's own functions: Alertmanager's functions, and the texts of our own pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use ops_contract::Notification;
use ops_promql::template::{Functions, SHARED, TemplateError, Value, shared};

use super::moment::{Moment, microseconds};
use crate::receivers::{Telling, page_text, page_title};

/// Their names. `pageTitle` and `pageText` are ours.
const OWN: [&str; 17] = [
    "title",
    "trimSpace",
    "join",
    "safeHtml",
    "safeUrl",
    "urlUnescape",
    "stringSlice",
    "list",
    "append",
    "dict",
    "date",
    "tz",
    "since",
    "now",
    "toJson",
    "pageTitle",
    "pageText",
];

fn is_known(name: &str) -> bool {
    OWN.contains(&name) || SHARED.contains(&name)
}

/// The names alone, for texts that are read and not rendered.
pub(super) struct Names;

impl Functions for Names {
    fn knows(&self, name: &str) -> bool {
        is_known(name)
    }

    fn call(&self, name: &str, _: &[Value], _: usize) -> Result<Value, TemplateError> {
        Err(TemplateError::new(format!("{name} is not called while templates are read")))
    }
}

/// What is told, for functions that speak of it.
pub(super) struct Page<'a> {
    pub(super) note: &'a Notification,
    pub(super) telling: &'a Telling<'a>,
}

impl Functions for Page<'_> {
    fn knows(&self, name: &str) -> bool {
        is_known(name)
    }

    fn call(&self, name: &str, arguments: &[Value], most: usize) -> Result<Value, TemplateError> {
        match (name, arguments) {
            ("since", [at]) => {
                let passed = self.telling.now.0.saturating_sub(microseconds(at)?);
                Ok(Value::Duration(passed.saturating_mul(1000)))
            }
            ("now", []) => Ok(Value::Object(Arc::new(Moment::utc(self.telling.now)))),
            ("pageTitle", [Value::Text(kind)]) => page_title(kind, self.note, self.telling)
                .map(|text| Value::Safe(text.into()))
                .ok_or_else(|| unknown(name, kind)),
            ("pageText", [Value::Text(kind)]) => page_text(kind, self.note, self.telling)
                .map(|text| Value::Safe(text.into()))
                .ok_or_else(|| unknown(name, kind)),
            ("toJson", [it]) => {
                let text = json(it).to_string();
                if text.len() > most {
                    return Err(TemplateError::new(format!("toJson makes more than {most} bytes")));
                }
                Ok(Value::text(text))
            }
            _ if OWN.contains(&name) => plain(name, arguments),
            _ => shared(name, arguments, most),
        }
    }
}

fn unknown(name: &str, kind: &str) -> TemplateError {
    TemplateError::new(format!("{name} knows plain, slack, discord and html, not {kind:?}"))
}

fn plain(name: &str, arguments: &[Value]) -> Result<Value, TemplateError> {
    let wrong = || {
        let kinds: Vec<&str> = arguments.iter().map(Value::kind).collect();
        TemplateError::new(format!("{name} does not take ({})", kinds.join(", ")))
    };
    Ok(match (name, arguments) {
        ("title", [Value::Text(it)]) => Value::text(capitals(it)),
        ("trimSpace", [Value::Text(it)]) => Value::text(it.trim()),
        ("join", [Value::Text(between), Value::List(all)]) => {
            let all: Vec<String> = all.iter().map(Value::shown).collect();
            // Each separator was not yet counted as work.
            if between.len().saturating_mul(all.len()) > 1 << 20 {
                return Err(TemplateError::new("join makes a text that is too long"));
            }
            Value::text(all.join(between))
        }
        ("safeHtml" | "safeUrl", [Value::Text(it)]) => Value::Safe(Arc::clone(it)),
        ("urlUnescape", [Value::Text(it)]) => Value::text(unescaped(it).ok_or_else(wrong)?),
        ("stringSlice", all) if all.iter().all(|it| matches!(it, Value::Text(_))) => {
            Value::List(all.to_vec().into())
        }
        ("list", all) if all.iter().all(is_single) => Value::List(all.to_vec().into()),
        ("append", [Value::List(list), rest @ ..]) if rest.iter().all(is_single) => {
            Value::List(list.iter().chain(rest).cloned().collect())
        }
        ("dict", all) if all.len().is_multiple_of(2) => {
            let mut map = BTreeMap::new();
            for pair in all.chunks(2) {
                let [Value::Text(key), value] = pair else { return Err(wrong()) };
                if !is_single(value) {
                    return Err(wrong());
                }
                map.insert(key.to_string(), value.clone());
            }
            Value::Map(Arc::new(map))
        }
        ("date", [Value::Text(_), Value::Object(it)]) => method(it.field("Format", first(arguments)), wrong)?,
        ("tz", [Value::Text(_), Value::Object(it)]) => method(it.field("In", first(arguments)), wrong)?,
        _ => return Err(wrong()),
    })
}

fn first(arguments: &[Value]) -> &[Value] {
    arguments.get(..1).unwrap_or_default()
}

fn method(
    found: Option<Result<Value, TemplateError>>,
    wrong: impl Fn() -> TemplateError,
) -> Result<Value, TemplateError> {
    found.unwrap_or_else(|| Err(wrong()))
}

/// What may stand in a list: not what holds others, or lists could grow beyond all bounds.
fn is_single(value: &Value) -> bool {
    match value {
        Value::Nil
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Duration(_) => true,
        Value::Object(it) => it.count().is_none(),
        _ => false,
    }
}

/// Each word with a capital at its beginning only.
fn capitals(text: &str) -> String {
    let mut inside = false;
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if inside {
            out.extend(c.to_lowercase())
        } else {
            out.extend(c.to_uppercase())
        }
        inside = c.is_alphanumeric() || matches!(c, '\'' | '_');
        out
    })
}

/// As Go's `url.QueryUnescape`; nothing where an escape is broken.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut left = text.bytes();
    while let Some(byte) = left.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [left.next()?, left.next()?];
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The value in JSON, with Alertmanager's names.
fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Nil => serde_json::Value::Null,
        Value::Bool(it) => (*it).into(),
        Value::Int(it) | Value::Duration(it) => (*it).into(),
        Value::Float(it) => (*it).into(),
        Value::Text(it) | Value::Safe(it) => it.to_string().into(),
        Value::List(it) => it.iter().map(json).collect(),
        Value::Map(it) => it.iter().map(|(key, it)| (key.clone(), json(it))).collect(),
        Value::Data(it) => it.iter().map(|(name, it)| (json_name(name), json(it))).collect(),
        Value::Object(it) if it.count().is_some() => collection(&it.items(), it.kind() == "template.KV"),
        Value::Object(it) => match it.field("MarshalText", &[]) {
            Some(Ok(text)) => json(&text),
            _ => it.text().into(),
        },
        other => other.shown().into(),
    }
}

fn collection(items: &[(Value, Value)], map: bool) -> serde_json::Value {
    if map {
        items.iter().map(|(key, it)| (key.shown(), json(it))).collect()
    } else {
        items.iter().map(|(_, it)| json(it)).collect()
    }
}

fn json_name(name: &str) -> String {
    match name {
        "NotificationReason" => "notification_reason".to_owned(),
        // Pairs have no names of their own in JSON.
        "Name" | "Value" => name.to_owned(),
        name => {
            let mut chars = name.chars();
            chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
        }
    }
}
