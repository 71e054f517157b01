//! What a line shows of values: keyed hashes, a version, and whether anything stands there in clear.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::line::{Kind, Line};
use super::places::Target;

/// What a keyed hash begins with.
const HMAC: &str = "hmac-sha256:";
/// Hexadecimal digits of one.
const DIGITS: usize = 64;
/// Longest name of a field that is told.
const FIELD: usize = 64;
/// Most fields of one secret whose hashes are looked at.
const FIELDS: usize = 1_000;

/// What is shown of values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// Keyed hashes, by field.
    pub(super) hmacs: BTreeMap<String, String>,
    /// Names of fields with something in clear.
    pub(super) in_clear: BTreeSet<String>,
    /// Names of all fields; `None`: none are shown, and all may have been got.
    fields: Option<BTreeSet<String>>,
    pub(super) version: Option<u64>,
    /// A read that got nothing.
    pub(super) is_missing: bool,
    /// What was read lies in a wrapping that whoever asked can open.
    pub(super) is_wrapped: bool,
    /// It was wrapped although nobody asked for that: others must consent first.
    pub(super) waits: bool,
}

impl Shown {
    /// Whether this field was among what was got or changed.
    pub(super) fn reaches(&self, field: &str) -> bool {
        self.fields.as_ref().is_none_or(|it| it.contains(field))
    }

    /// How many fields there are.
    pub(super) fn fields(&self) -> Option<usize> {
        self.fields.as_ref().map(BTreeSet::len)
    }

    /// The hash of what has one field only: then it is the secret's.
    pub(super) fn only(&self) -> Option<String> {
        let is_one = self.fields.as_ref().is_some_and(|it| it.len() == 1);
        self.hmacs.values().next().filter(|_| is_one).cloned()
    }
}

/// What a line shows of the values at its path.
pub(super) fn shown(line: &Line, target: &Target<'_>) -> Shown {
    let mut shown = Shown::default();
    let is_ours = !target.secrets.is_empty();
    let holds = if is_ours { Holds::of_folder(target.folder) } else { Holds::of(line) };
    if holds == Holds::Nothing {
        shown.is_missing = is_read(line) && !answers(line);
        return shown;
    }
    let response = line.response.as_ref();
    let (sent, answered) = (line.request.data.as_ref(), response.and_then(|it| it.data.as_ref()));
    let values = |it: Option<&Value>| -> Option<Map<String, Value>> {
        let object = if holds == Holds::Versions { it?.get("data")? } else { it? };
        object.as_object().cloned()
    };
    let (written, read) = (values(sent), values(answered));
    for values in [&written, &read].into_iter().flatten() {
        shown.take(values);
    }
    if line.kind == Kind::Response {
        let version = |it: Option<&Value>| it?.get("version")?.as_u64();
        shown.version = match is_read(line) {
            true => version(answered.and_then(|it| it.get("metadata"))),
            false => version(answered),
        };
        let is_wrapped = response.is_some_and(|it| it.wrap_info.as_ref().is_some_and(|it| !it.is_null()));
        let asked = line.request.wrap_ttl.as_ref().is_some_and(|it| !it.is_null());
        shown.waits = is_wrapped && !asked;
        shown.is_wrapped = is_wrapped && asked;
        shown.is_missing = is_read(line) && !is_wrapped && read.is_none();
    }
    shown
}

impl Shown {
    fn take(&mut self, values: &Map<String, Value>) {
        let fields = self.fields.get_or_insert_default();
        for (field, value) in values.iter().take(FIELDS) {
            fields.insert(field.clone());
            match value.as_str().filter(|it| is_hmac(it)) {
                Some(hmac) => {
                    self.hmacs.insert(field.clone(), hmac.to_owned());
                }
                None if is_in_clear(value) => {
                    self.in_clear.insert(field.chars().take(FIELD).collect());
                }
                None => {}
            }
        }
    }
}

/// What a path of a key-value store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// Values with versions.
    Versions,
    /// Values without.
    Values,
    /// No values.
    Nothing,
}

impl Holds {
    fn of(line: &Line) -> Self {
        let is_about_values = matches!(line.request.operation(), "read" | "create" | "update" | "patch");
        if line.request.is_key_value() && is_about_values {
            Self::of_folder(line.request.folder())
        } else {
            Self::Nothing
        }
    }

    /// A store without versions has folders of any name; those that mean something in one with versions are taken for that.
    fn of_folder(folder: &str) -> Self {
        match folder {
            "data" => Self::Versions,
            "metadata" | "delete" | "undelete" | "destroy" | "subkeys" | "config" => Self::Nothing,
            _ => Self::Values,
        }
    }
}

fn is_read(line: &Line) -> bool {
    line.kind == Kind::Response && line.request.operation() == "read"
}

fn answers(line: &Line) -> bool {
    let has = |it: &Option<Value>| it.as_ref().is_some_and(|it| !it.is_null());
    line.gives_token() || line.response.as_ref().is_some_and(|it| has(&it.data) || has(&it.wrap_info))
}

/// Whether anything in it is neither a hash nor nothing.
fn is_in_clear(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !is_hmac(text),
        Value::Bool(_) | Value::Number(_) => true,
        Value::Array(all) => all.iter().any(is_in_clear),
        Value::Object(all) => all.values().any(is_in_clear),
    }
}

/// The keyed hash of the token's accessor; nothing when the device shows it in clear.
pub(super) fn token(line: &Line) -> Option<String> {
    line.accessor().filter(|it| is_hmac(it)).map(str::to_owned)
}

/// Whether a text is just a keyed hash.
fn is_hmac(text: &str) -> bool {
    let lower = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
    text.strip_prefix(HMAC).is_some_and(|it| it.len() == DIGITS && it.bytes().all(lower))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
