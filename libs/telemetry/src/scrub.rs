use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

pub(crate) const REDACTED: &str = "[redacted]";

/// Shorter values stand in too many innocent words.
const SHORTEST: usize = 4;

/// Parts of names whose values are not for others to see.
const SENSITIVE: [&str; 12] = [
    "authorization",
    "cookie",
    "password",
    "passwd",
    "passphrase",
    "token",
    "secret",
    "dsn",
    "api_key",
    "apikey",
    "credential",
    "private_key",
];

/// Removes secrets: by value, by the name they stand under, and out of URLs.
#[derive(Clone)]
pub(crate) struct Scrubber {
    /// Longest first, so that no value is left behind because a part of it was replaced before.
    values: Arc<[String]>,
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scrubber({} values)", self.values.len())
    }
}

impl Scrubber {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut values = Vec::new();
        for secret in secrets {
            let plain = secret.expose_secret();
            if plain.len() < SHORTEST {
                continue;
            }
            // The same value as it stands inside a JSON text and inside a Debug text.
            values.push(Value::from(plain).to_string().trim_matches('"').to_owned());
            values.push(format!("{plain:?}").trim_matches('"').to_owned());
            values.push(plain.to_owned());
        }
        values.sort_by_key(|value| (std::cmp::Reverse(value.len()), value.clone()));
        values.dedup();
        values.retain(|value| value.len() >= SHORTEST);
        Self { values: values.into() }
    }

    /// Replaces secret values and the passwords of URLs.
    pub(crate) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for value in self.values.iter() {
            if text.contains(value.as_str()) {
                text = Cow::Owned(text.replace(value.as_str(), REDACTED));
            }
        }
        match without_url_passwords(&text) {
            Some(scrubbed) => Cow::Owned(scrubbed),
            None => text,
        }
    }

    /// Replaces secrets in a whole document, and whatever stands under a sensitive name.
    pub(crate) fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(scrubbed) = self.text(text) {
                    *text = scrubbed;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(entries) => {
                for (name, entry) in entries.iter_mut() {
                    if is_sensitive(name) && !entry.is_null() {
                        *entry = REDACTED.into();
                    } else {
                        self.value(entry);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Whether a value under this name is not for others to see.
pub(crate) fn is_sensitive(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    SENSITIVE.iter().any(|part| name.contains(part))
}

/// `scheme://user:password@host` without its password; `None` when there is nothing to replace.
fn without_url_passwords(text: &str) -> Option<String> {
    let mut scrubbed = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        scrubbed.push_str(before);
        rest = after;
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '<' | '>' | '?' | '#'))
            .unwrap_or(after.len());
        let authority = &after[..end];
        if let Some((login, _)) = authority.rsplit_once('@')
            && let Some((user, password)) = login.split_once(':')
            && !password.is_empty()
            && password != REDACTED
        {
            scrubbed.push_str(user);
            scrubbed.push(':');
            scrubbed.push_str(REDACTED);
            rest = &after[login.len()..];
            found = true;
        }
    }
    scrubbed.push_str(rest);
    found.then_some(scrubbed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubber() -> Scrubber {
        Scrubber::new(&[SecretString::from("hunter2-long"), "quo\"te\\d".into(), "abc".into()])
    }

    #[test]
    fn secret_values_are_replaced_in_every_spelling() {
        assert_eq!(scrubber().text("a hunter2-long b hunter2-long"), "a [redacted] b [redacted]");
        assert_eq!(scrubber().text(r#"{"p":"quo\"te\\d"}"#), r#"{"p":"[redacted]"}"#);
    }

    #[test]
    fn short_values_are_left_alone() {
        assert_eq!(scrubber().text("abcdef"), "abcdef");
    }

    #[test]
    fn passwords_of_urls_are_replaced() {
        assert_eq!(
            scrubber()
                .text("cannot reach postgres://desk:pa@ss@db:5432/x, nor http://a/b@c:d, nor redis://:pw@r"),
            "cannot reach postgres://desk:[redacted]@db:5432/x, nor http://a/b@c:d, nor redis://:[redacted]@r"
        );
    }

    #[test]
    fn sensitive_names_hide_what_stands_under_them() {
        let mut value = serde_json::json!({"X-Api-Key": 1, "api_key": 1, "Set-Cookie": ["a"], "n": {"userPassword": {"x": 1}}});
        scrubber().value(&mut value);
        assert_eq!(
            value,
            serde_json::json!({"X-Api-Key": REDACTED, "api_key": REDACTED, "Set-Cookie": REDACTED,
                "n": {"userPassword": REDACTED}})
        );
    }
}
