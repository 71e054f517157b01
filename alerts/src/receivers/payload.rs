//! JSON of one's own whose texts are templates: a webhook's `payload`, PagerDuty's `details`.

use std::fmt;

use ops_contract::Notification;
use serde_json::Value;

use super::settings::{Settings, not_set, unset};
use super::{Telling, http};

/// Deepest nesting.
const DEEPEST: usize = 32;

/// It may hold keys: not shown.
pub(super) struct Payload(Value);

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[payload]")
    }
}

impl Payload {
    pub(super) fn read(settings: &Settings<'_>, key: &str) -> Option<Self> {
        let value = settings.value(key)?;
        if depth(value) > DEEPEST {
            settings.wrong(key, format!("is nested deeper than {DEEPEST} levels"), "make it flatter");
        }
        let text = value.to_string();
        if text.len() > http::LARGEST {
            settings.wrong(key, format!("is larger than {} bytes", http::LARGEST), "shorten it");
        }
        if let Some(name) = unset(&text) {
            settings.remark(format!("{name} is not set: what needs it is not sent until it is"));
        }
        Some(Self(value.clone()))
    }

    /// As a body of its own. A text for the whole of it is a template that writes JSON.
    pub(super) fn body(&self, note: &Notification, telling: &Telling<'_>) -> Result<Vec<u8>, String> {
        let body = self.filled(note, telling).map_err(|problem| format!("payload: {problem}"))?;
        if body.is_string() {
            return Err("payload: it is no JSON once it is filled in".to_owned());
        }
        serde_json::to_vec(&body).map_err(|error| format!("payload: {error}"))
    }

    /// With all its texts filled in, names included.
    pub(super) fn filled(&self, note: &Notification, telling: &Telling<'_>) -> Result<Value, String> {
        filled(&self.0, note, telling)
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn filled(value: &Value, note: &Notification, telling: &Telling<'_>) -> Result<Value, String> {
    let text = |text: &str| match unset(text) {
        Some(name) => Err(not_set(name)),
        None => telling.templates.render(text, false, note, telling),
    };
    Ok(match value {
        Value::String(it) if it.contains("{{") => typed(text(it)?),
        Value::String(it) => Value::String(text(it)?),
        Value::Array(list) => {
            Value::Array(list.iter().map(|it| filled(it, note, telling)).collect::<Result<_, _>>()?)
        }
        Value::Object(map) => {
            let pairs = map.iter().map(|(name, it)| Ok((text(name)?, filled(it, note, telling)?)));
            Value::Object(pairs.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

/// What a template came to: `{{ toJson .Labels }}` becomes a map and `{{ len .Alerts }}` a number, as with Alertmanager.
fn typed(text: String) -> Value {
    match serde_json::from_str(&text) {
        Ok(Value::String(_) | Value::Null) | Err(_) => Value::String(text),
        // Digits that a number would change stay as they are.
        Ok(Value::Number(number)) if number.to_string() != text => Value::String(text),
        Ok(value) => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_template_came_to_has_a_type() {
        for (text, expected) in [
            ("12", json!(12)),
            ("0.5", json!(0.5)),
            ("true", json!(true)),
            ("{\"a\": [1]}", json!({"a": [1]})),
            ("", json!("")),
            ("null", json!("null")),
            ("\"quoted\"", json!("\"quoted\"")),
            ("00012", json!("00012")),
            ("1e5", json!("1e5")),
            ("123456789012345678901234567890", json!("123456789012345678901234567890")),
            ("api/0 is down", json!("api/0 is down")),
        ] {
            assert_eq!(typed(text.to_owned()), expected, "{text}");
        }
    }
}
