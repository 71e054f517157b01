//! Settings of an integration, read key by key: all that is wrong is told at once, and what looks like a variable that is not
//! set is kept, because a page that cannot be sent today may be sent when the variable is there.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::Wrong;
use crate::routing::nearest;
use crate::rules::parse_duration;

/// Longest text of one setting, in bytes.
const LONGEST: usize = 64 * 1024;

/// A text that may be secret, or lack a variable.
#[derive(Clone)]
pub(crate) struct Secret(SecretString);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text; fails when a variable in it is not set.
    pub(crate) fn get(&self) -> Result<&str, String> {
        match unset(self.0.expose_secret()) {
            Some(name) => Err(not_set(name)),
            None => Ok(self.0.expose_secret()),
        }
    }
}

/// What to say of a variable without a value.
pub(super) fn not_set(name: &str) -> String {
    format!("{name} is not set: give it in the server's environment or its .env file")
}

/// The first `${NAME}` in a text.
pub(super) fn unset(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("${")?;
    let (name, _) = rest.split_once('}')?;
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
        .then_some(name)
}

/// One entry of a list of integrations, while it is read.
pub(crate) struct Settings<'a> {
    map: Map<String, Value>,
    global: &'a Value,
    known: RefCell<BTreeSet<String>>,
    wrongs: RefCell<Vec<Wrong>>,
    remarks: RefCell<Vec<String>>,
}

impl<'a> Settings<'a> {
    /// `global`: the section from which settings come that the entry does not have.
    pub(crate) fn new(settings: &Value, global: &'a Value) -> Self {
        let wrongs: RefCell<Vec<Wrong>> = RefCell::default();
        let map = match settings {
            Value::Object(map) => map.clone(),
            Value::Null => Map::new(),
            other => {
                wrongs.borrow_mut().push(wrong(
                    "",
                    format!("is {}, not a map", named(other)),
                    "write key: value",
                ));
                Map::new()
            }
        };
        Self { map, global, known: RefCell::default(), wrongs, remarks: RefCell::default() }
    }

    /// The value of a key as it stands; marks the key as known.
    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.known.borrow_mut().insert(key.to_owned());
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// Text; numbers and booleans count as text, as in YAML files everywhere.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let value = self.value(key)?;
        self.as_text(key, value)
    }

    /// Text of the entry, or else of the global section under `global_key`.
    pub(crate) fn text_or_global(&self, key: &str, global_key: &str) -> Option<String> {
        self.text(key).or_else(|| self.as_text(global_key, self.global.get(global_key)?))
    }

    pub(crate) fn secret(&self, key: &str) -> Option<Secret> {
        self.text(key).map(Secret::new)
    }

    pub(crate) fn secret_or_global(&self, key: &str, global_key: &str) -> Option<Secret> {
        self.text_or_global(key, global_key).map(Secret::new)
    }

    pub(crate) fn flag(&self, key: &str, default: bool) -> bool {
        match self.value(key) {
            None => default,
            Some(Value::Bool(it)) => *it,
            Some(Value::String(text)) if text == "true" => true,
            Some(Value::String(text)) if text == "false" => false,
            Some(other) => {
                self.wrong(key, format!("is {}, not true or false", named(other)), "write true or false");
                default
            }
        }
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        let value = self.value(key)?;
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        if number.is_none() {
            self.wrong(key, "is no whole number".to_owned(), "write a number such as 10");
        }
        number
    }

    /// A time such as `30s`.
    pub(crate) fn duration(&self, key: &str) -> Option<Duration> {
        let text = self.text(key)?;
        let ms = parse_duration(&text).and_then(|ms| u64::try_from(ms).ok());
        if ms.is_none() {
            self.wrong(key, format!("{text:?} is no time"), "write a time such as 30s");
        }
        ms.map(Duration::from_millis)
    }

    /// Names and texts.
    pub(crate) fn pairs(&self, key: &str) -> BTreeMap<String, String> {
        match self.value(key) {
            None => BTreeMap::new(),
            Some(Value::Object(map)) => map
                .iter()
                .filter_map(|(name, value)| {
                    Some((name.clone(), self.as_text(&format!("{key}.{name}"), value)?))
                })
                .collect(),
            Some(other) => {
                self.wrong(key, format!("is {}, not a map", named(other)), "write name: text");
                BTreeMap::new()
            }
        }
    }

    /// A list of texts; one text is a list of one.
    pub(crate) fn texts(&self, key: &str) -> Vec<String> {
        match self.value(key) {
            None => Vec::new(),
            Some(Value::Array(list)) => list
                .iter()
                .enumerate()
                .filter_map(|(at, value)| self.as_text(&format!("{key}[{at}]"), value))
                .collect(),
            Some(one) => self.as_text(key, one).into_iter().collect(),
        }
    }

    /// A list of maps, each read as an entry of its own.
    pub(crate) fn entries<T>(&self, key: &str, read: impl Fn(&Settings<'_>) -> T) -> Vec<T> {
        match self.value(key) {
            None => Vec::new(),
            Some(Value::Array(list)) => list
                .iter()
                .enumerate()
                .map(|(at, value)| self.inside(value, &format!("{key}[{at}]"), &read))
                .collect(),
            Some(other) => {
                self.wrong(key, format!("is {}, not a list", named(other)), "write - before each entry");
                Vec::new()
            }
        }
    }

    /// Something under a key read as an entry of its own; its faults are told with the key before them.
    pub(crate) fn within<T>(&self, key: &str, read: impl FnOnce(&Settings<'_>) -> T) -> Option<T> {
        Some(self.inside(self.value(key)?, key, read))
    }

    /// The same, or what the global section has under `global_key`.
    pub(crate) fn within_or_global<T>(
        &self,
        key: &str,
        global_key: &str,
        read: impl FnOnce(&Settings<'_>) -> T,
    ) -> Option<T> {
        if self.value(key).is_some() {
            return self.within(key, read);
        }
        let value = self.global.get(global_key).filter(|value| !value.is_null())?;
        Some(self.inside(value, &format!("global.{global_key}"), read))
    }

    fn inside<T>(&self, value: &Value, place: &str, read: impl FnOnce(&Settings<'_>) -> T) -> T {
        let inner = Settings::new(value, &Value::Null);
        let read = read(&inner);
        let (wrongs, remarks) = inner.end();
        self.wrongs.borrow_mut().extend(wrongs.into_iter().map(|it| Wrong {
            field: format!("{place}.{}", it.field).trim_end_matches('.').to_owned(),
            ..it
        }));
        self.remarks.borrow_mut().extend(remarks);
        read
    }

    /// Keys that Alertmanager knows and that do nothing here: a remark each.
    pub(crate) fn not_used(&self, keys: &[&str]) {
        for key in keys {
            if self.value(key).is_some() {
                self.remark(format!("{key} is not used"));
            }
        }
    }

    pub(crate) fn wrong(&self, field: &str, problem: String, fix: &str) {
        self.wrongs.borrow_mut().push(wrong(field, problem, fix));
    }

    pub(crate) fn remark(&self, remark: String) {
        self.remarks.borrow_mut().push(remark);
    }

    /// All read: what is to be remarked, or what is wrong. Keys that nobody asked for are wrong.
    pub(crate) fn finish(self) -> Result<Vec<String>, Vec<Wrong>> {
        let (wrongs, mut remarks) = self.end();
        if !wrongs.is_empty() {
            return Err(wrongs);
        }
        remarks.dedup();
        Ok(remarks)
    }

    fn end(self) -> (Vec<Wrong>, Vec<String>) {
        let known = self.known.into_inner();
        let mut wrongs = self.wrongs.into_inner();
        for key in self.map.keys().filter(|key| !known.contains(*key)) {
            let fix = match nearest(key, known.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("known are {}", known.iter().cloned().collect::<Vec<_>>().join(", ")),
            };
            wrongs.push(wrong(key, "is not known here".to_owned(), &fix));
        }
        (wrongs, self.remarks.into_inner())
    }

    fn as_text(&self, key: &str, value: &Value) -> Option<String> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(it) => it.to_string(),
            Value::Null => return None,
            other => {
                self.wrong(key, format!("is {}, not a text", named(other)), "write it in quotes");
                return None;
            }
        };
        if text.len() > LONGEST {
            self.wrong(key, format!("is longer than {LONGEST} bytes"), "shorten it");
            return None;
        }
        if let Some(name) = unset(&text) {
            self.remark(format!("{name} is not set: what needs it is not sent until it is"));
        }
        Some(text)
    }
}

fn wrong(field: &str, problem: String, fix: &str) -> Wrong {
    Wrong { field: field.to_owned(), problem, fix: fix.to_owned() }
}

fn named(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
