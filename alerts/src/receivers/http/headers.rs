//! Headers that the settings name.

use serde_json::Value;

use super::super::settings::{Secret, Settings};

/// Headers that belong to the connection or to the signature.
const RESERVED: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];

/// Names and values.
pub(super) fn headers(settings: &Settings<'_>, key: &str) -> Vec<(String, Secret)> {
    let mut all = Vec::new();
    for (name, value) in settings.pairs(key) {
        let place = format!("{key}.{name}");
        if check_name(settings, &place, &name) {
            let value = Secret::new(value);
            check_value(settings, &place, &value);
            all.push((name, value));
        }
    }
    all
}

/// Headers as Prometheus' libraries write them: lists of values and of secrets under each name.
pub(super) fn http_headers(settings: &Settings<'_>) -> Vec<(String, Secret)> {
    let Some(Value::Object(map)) = settings.value("http_headers") else { return Vec::new() };
    let names: Vec<String> = map.keys().cloned().collect();
    let read = |settings: &Settings<'_>| {
        let mut all = Vec::new();
        for name in names {
            let valid = check_name(settings, &name, &name);
            let values = settings.within(&name, |settings| {
                settings.not_used(&["files"]);
                let mut values = settings.texts("values");
                values.extend(settings.texts("secrets"));
                values
            });
            for value in values.unwrap_or_default().into_iter().filter(|_| valid) {
                let value = Secret::new(value);
                check_value(settings, &name, &value);
                all.push((name.clone(), value));
            }
        }
        all
    };
    settings.within("http_headers", read).unwrap_or_default()
}

fn check_name(settings: &Settings<'_>, place: &str, name: &str) -> bool {
    let reserved = RESERVED.contains(&name.to_ascii_lowercase().as_str());
    let valid = is_token(name) && !reserved;
    if reserved {
        settings.wrong(place, "is set by us".to_owned(), "remove it");
    } else if !valid {
        settings.wrong(place, "is no name of a header".to_owned(), "write it like X-Team");
    }
    valid
}

pub(super) fn check_value(settings: &Settings<'_>, place: &str, value: &Secret) {
    // The value is not shown: it may be secret.
    if value.get().is_ok_and(|text| !is_value(text)) {
        let problem = "has a line break or another character that no header carries";
        settings.wrong(place, problem.to_owned(), "write it on one line, in ASCII");
    }
}

pub(super) fn is_value(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
