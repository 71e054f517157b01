//! What of a job may leave this machine. The rules:
//!
//! - What stands under a key that names a secret or a person ([`is_secret`]) is replaced, whatever it is, all the way down.
//! - Values of secrets that this process knows are replaced wherever they stand, and in texts what looks like one ([`super::text`]).
//! - Texts, lists, objects and depth are cut, until the whole is at most [`LONGEST`] bytes of JSON.
//!
//! To add a rule: a word in the lists below, and a line in the tests. When in doubt, it is replaced.

use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::text;

/// What stands in place of what may not be seen.
pub(super) const REDACTED: &str = "‹redacted›";
/// Most bytes of a job's data.
const LONGEST: usize = 4096;
/// Most characters of a text in it.
const LONGEST_TEXT: usize = 200;
/// Shorter secrets are words of every job.
const SHORTEST_SECRET: usize = 6;
/// Texts that hold JSON are read as such up to this length.
const LONGEST_NESTED: usize = 64 * 1024;

/// Parts of a key, written together, that name a secret or a person.
const PARTS: [&str; 28] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "accesskey",
    "credential",
    "authorization",
    "cookie",
    "session",
    "signature",
    "email",
    "phone",
    "telephone",
    "firstname",
    "lastname",
    "surname",
    "fullname",
    "givenname",
    "familyname",
    "displayname",
    "username",
    "nickname",
    "birth",
    "passport",
];
/// Whole words of a key that do.
const WORDS: [&str; 27] = [
    "pass", "pwd", "pin", "otp", "totp", "key", "keys", "auth", "bearer", "jwt", "sid", "salt", "mail",
    "mobile", "fax", "ssn", "iban", "card", "cvv", "cvc", "address", "street", "postcode", "zip", "ip",
    "login", "tel",
];
/// Whose name is a person's: `customerName` is, `fileName` is not.
const PERSONS: [&str; 20] = [
    "agent",
    "assignee",
    "author",
    "billing",
    "client",
    "contact",
    "customer",
    "employee",
    "guest",
    "holder",
    "member",
    "owner",
    "person",
    "recipient",
    "reporter",
    "requester",
    "sender",
    "shipping",
    "signer",
    "user",
];
/// Who a message goes to, as far as it is an address: a status goes from open to closed, too.
const ADDRESSEES: [&str; 8] = ["to", "from", "cc", "bcc", "sender", "recipient", "recipients", "reply"];

/// How much of a value is shown.
#[derive(Clone, Copy)]
struct Bounds {
    depth: usize,
    entries: usize,
    text: usize,
}

/// From what is usually shown to what always fits.
const BOUNDS: [Bounds; 3] = [
    Bounds { depth: 8, entries: 50, text: LONGEST_TEXT },
    Bounds { depth: 5, entries: 15, text: 80 },
    Bounds { depth: 2, entries: 8, text: 40 },
];

/// Knows what must not be seen.
pub(super) struct Redactor {
    /// Longest first, so that a secret which contains another goes as a whole.
    secrets: Vec<String>,
}

impl Redactor {
    pub(super) fn new(secrets: impl IntoIterator<Item = SecretString>) -> Self {
        let mut lines: Vec<String> = Vec::new();
        for secret in secrets {
            // As it is, and as it stands in an address.
            for line in secret.expose_secret().lines().filter(|line| line.len() >= SHORTEST_SECRET) {
                lines.push(line.to_owned());
                lines.push(super::connect::percent_encoded(line));
            }
        }
        lines.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        lines.dedup();
        Self { secrets: lines }
    }

    /// What a job carries, as JSON.
    pub(super) fn data(&self, data: &Value) -> String {
        for bounds in BOUNDS {
            let text = self.value(data, false, bounds.depth, bounds).to_string();
            if text.len() <= LONGEST {
                return text;
            }
        }
        Value::from("‹too large to show›").to_string()
    }

    /// A text for people, at most `longest` characters of it.
    pub(super) fn text(&self, text: &str, longest: usize) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            if text.contains(secret) {
                text = text.replace(secret, REDACTED);
            }
        }
        cut(&text::scrubbed(&text), longest)
    }

    fn value(&self, value: &Value, hidden: bool, depth: usize, bounds: Bounds) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value.clone(),
            Value::Number(_) | Value::String(_) if hidden => Value::from(REDACTED),
            Value::Number(number) if self.secrets.contains(&number.to_string()) => Value::from(REDACTED),
            Value::Number(_) => value.clone(),
            Value::String(text) => Value::from(self.string(text, depth, bounds)),
            Value::Array(_) | Value::Object(_) if depth == 0 => Value::from("…"),
            Value::Array(items) => {
                let mut shown: Vec<Value> = items
                    .iter()
                    .take(bounds.entries)
                    .map(|item| self.value(item, hidden, depth - 1, bounds))
                    .collect();
                if items.len() > bounds.entries {
                    shown.push(Value::from(format!("… {} more", items.len() - bounds.entries)));
                }
                Value::Array(shown)
            }
            Value::Object(fields) => {
                let mut shown = Map::new();
                for (key, value) in fields.iter().take(bounds.entries) {
                    let hidden = hidden || is_secret(key) || is_addressee(key, value);
                    shown.insert(self.text(key, bounds.text), self.value(value, hidden, depth - 1, bounds));
                }
                if fields.len() > bounds.entries {
                    let more = format!("{} more", fields.len() - bounds.entries);
                    shown.insert("…".to_owned(), Value::from(more));
                }
                Value::Object(shown)
            }
        }
    }

    /// A text may hold JSON, whose keys tell more than its words.
    fn string(&self, text: &str, depth: usize, bounds: Bounds) -> String {
        let begins = text.trim_start().starts_with(['{', '[']);
        if begins
            && depth > 0
            && text.len() <= LONGEST_NESTED
            && let Ok(nested) = serde_json::from_str::<Value>(text)
        {
            return cut(&self.value(&nested, false, depth - 1, bounds).to_string(), bounds.text);
        }
        self.text(text, bounds.text)
    }
}

impl Drop for Redactor {
    fn drop(&mut self) {
        self.secrets.zeroize();
    }
}

/// Whether what stands under this key must not be seen.
pub(super) fn is_secret(key: &str) -> bool {
    let words = words(key);
    let together = words.concat();
    PARTS.iter().any(|part| together.contains(part))
        || words.iter().any(|word| WORDS.contains(&word.as_str()))
        || together == "name"
        || (together.ends_with("name") && PERSONS.iter().any(|person| together.contains(person)))
}

/// Whether a key in running text announces a secret: `password: …`, but not `TokenExpiredError: …` nor `queue name: …`.
pub(super) fn announces_secret(key: &str) -> bool {
    let last = words(key).pop().unwrap_or_default();
    last != "name" && is_secret(&last)
}

fn is_addressee(key: &str, value: &Value) -> bool {
    let has_address = |value: &Value| value.as_str().is_some_and(|text| text.contains('@'));
    let addressed = has_address(value) || value.as_array().is_some_and(|all| all.iter().any(has_address));
    addressed && words(key).first().is_some_and(|word| ADDRESSEES.contains(&word.as_str()))
}

/// `customerEmail-2` is `customer`, `email`, `2`.
fn words(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in key.chars() {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        was_lower = letter.is_lowercase() || letter.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The first `longest` characters, and how many were left out.
fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… {} more characters", &text[..end], text[end..].chars().count()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redacted(data: Value) -> Value {
        let redactor = Redactor::new(["hunter2-of/the stack".into(), "short".into()]);
        serde_json::from_str(&redactor.data(&data)).unwrap()
    }

    #[test]
    fn keys_that_name_secrets_and_persons_hide_what_is_under_them() {
        let secret = [
            "password",
            "userPassword",
            "PASSWD",
            "client_secret",
            "accessToken",
            "x-api-key",
            "apiKey",
            "key",
            "Authorization",
            "Set-Cookie",
            "email",
            "customerEmail",
            "E-Mail",
            "phoneNumber",
            "name",
            "firstName",
            "last_name",
            "customerName",
            "requester-name",
            "dateOfBirth",
            "iban",
            "cardNumber",
            "ipAddress",
            "OTP",
            "sessionId",
            "webhookSignature",
            "privateKeyPem",
        ];
        for key in secret {
            assert!(is_secret(key), "{key}");
            assert_eq!(redacted(json!({ key: "x" })), json!({ key: REDACTED }), "{key}");
        }
        for key in
            ["ticketId", "fileName", "queueName", "templateName", "keyboard", "author_id", "pinned", "event"]
        {
            assert!(!is_secret(key), "{key}");
            assert_eq!(redacted(json!({ key: "x" })), json!({ key: "x" }), "{key}");
        }
    }

    #[test]
    fn what_is_hidden_is_hidden_all_the_way_down_and_may_be_a_number() {
        let data =
            json!({"credentials": {"user": "anna", "codes": [1234, {"a": "b"}], "on": true, "none": null}});
        let hidden = json!({"credentials": {"user": REDACTED, "codes": [REDACTED, {"a": REDACTED}], "on": true, "none": null}});
        assert_eq!(redacted(data), hidden);
    }

    #[test]
    fn the_stacks_secrets_are_replaced_wherever_they_stand() {
        let data = json!({"url": "x://u?k=hunter2-of%2Fthe%20stack!", "hunter2-of/the stack": ["a hunter2-of/the stack b"], "short": "short"});
        let text = redacted(data).to_string();
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("short"), "a short secret is a word like others: {text}");
    }

    #[test]
    fn addresses_are_hidden_and_a_change_of_status_is_not() {
        let data = json!({"to": ["Anna <anna@example.org>", "Ben"], "status": {"from": "open", "to": "closed"}, "note": "ask anna@example.org"});
        let shown = json!({"to": [REDACTED, REDACTED], "status": {"from": "open", "to": "closed"}, "note": format!("ask {REDACTED}")});
        assert_eq!(redacted(data), shown);
    }

    #[test]
    fn json_within_a_text_is_read_as_json() {
        let inner = json!({"password": "p w", "n": 1}).to_string();
        let shown = redacted(json!({ "payload": inner }));
        assert_eq!(shown["payload"], json!({"n": 1, "password": REDACTED}).to_string());
    }

    #[test]
    fn long_and_deep_data_is_cut_and_stays_json() {
        let shown = redacted(json!({ "text": "ä".repeat(300) }));
        assert_eq!(shown["text"], format!("{}… 100 more characters", "ä".repeat(200)));
        let mut deep = json!("end");
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert!(redacted(deep).to_string().contains('…'));
        let wide: Map<String, Value> =
            (0..10_000).map(|n| (format!("field {n}"), json!("x".repeat(150)))).collect();
        let redactor = Redactor::new([]);
        let text = redactor.data(&json!({ "list": vec![wide.clone(); 20], "more": wide }));
        assert!(text.len() <= LONGEST, "{}", text.len());
        assert!(serde_json::from_str::<Value>(&text).is_ok());
        let cut = redactor.data(&json!({ "a": "\u{1}".repeat(1_000_000) }));
        assert!(cut.len() <= LONGEST);
    }
}
