use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::duration;
use crate::keys::{self, KEYS, LATER};
use crate::nearest::nearest;
use crate::reader::{At, Reader, quoted};

/// One table of the file: hands out its values by type, and notes what is not as it should be.
#[derive(Clone)]
pub(crate) struct Section<'r, 't> {
    pub(crate) reader: &'r Reader<'t>,
    pub(crate) path: String,
    pub(crate) span: Range<usize>,
    table: &'r DeTable<'t>,
}

type Value<'t> = Spanned<DeValue<'t>>;

impl<'r, 't> Section<'r, 't> {
    /// Opens a table whose keys are those of `kind` in [`KEYS`]; keys that are not there are faults.
    pub(crate) fn open(
        reader: &'r Reader<'t>,
        kind: &str,
        path: &str,
        table: &'r DeTable<'t>,
        span: Range<usize>,
    ) -> Self {
        let (known, later) = (keys::of(KEYS, kind), keys::of(LATER, kind));
        for (key, _) in table {
            let name: &str = key.get_ref();
            let full = join(path, name);
            if known.contains(&name) {
                continue;
            }
            if later.contains(&name) {
                reader.fault(
                    &key.span(),
                    &full,
                    format!("not supported yet: nothing reads {name}"),
                    "remove it until a version that does",
                );
                continue;
            }
            let fix = match nearest(name, known.iter().copied()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("known here: {}", known.join(", ")),
            };
            reader.fault(&key.span(), &full, format!("unknown key {}", quoted(name)), fix);
        }
        Self { reader, path: path.to_owned(), span, table }
    }

    /// The dotted key of `key` in this section.
    pub(crate) fn key(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Notes that something is missing from this section.
    pub(crate) fn missing(&self, key: &str, fix: &str) {
        self.reader.fault(&self.span, &self.key(key), format!("{key} is missing"), fix);
    }

    pub(crate) fn value(&self, key: &str) -> Option<At<&'r Value<'t>>> {
        let (name, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        // A table's own span may cover only its header; the key's place is where a reader looks.
        let span = if value.get_ref().is_table() { name.span() } else { value.span() };
        Some(At { value, key: self.key(key), span })
    }

    /// Notes that a value is of the wrong type.
    pub(crate) fn wrong_type(&self, at: &At<&Value<'_>>, wanted: &str) {
        let found = at.value.get_ref().type_str();
        self.reader.wrong(at, format!("this is of type {found}"), format!("write {wanted}"));
    }

    pub(crate) fn string(&self, key: &str) -> Option<At<String>> {
        let at = self.value(key)?;
        match at.value.get_ref().as_str() {
            Some(text) => Some(at.with(text.to_owned())),
            None => {
                self.wrong_type(&at, &format!("text: {key} = \"…\""));
                None
            }
        }
    }

    pub(crate) fn boolean(&self, key: &str) -> Option<At<bool>> {
        let at = self.value(key)?;
        match at.value.get_ref().as_bool() {
            Some(value) => Some(at.with(value)),
            None => {
                self.wrong_type(&at, "true or false");
                None
            }
        }
    }

    pub(crate) fn integer(&self, key: &str, range: RangeInclusive<u16>) -> Option<At<u16>> {
        let at = self.value(key)?;
        self.as_integer(&at, range)
    }

    pub(crate) fn as_integer(&self, at: &At<&'r Value<'t>>, range: RangeInclusive<u16>) -> Option<At<u16>> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        if at.value.get_ref().as_integer().is_none() {
            self.wrong_type(at, &wanted);
            return None;
        }
        let number = integer(at.value.get_ref()).and_then(|it| u16::try_from(it).ok());
        match number.filter(|it| range.contains(it)) {
            Some(number) => Some(at.with(number)),
            None => {
                self.reader.wrong(at, "this number is out of range", format!("write {wanted}"));
                None
            }
        }
    }

    /// A whole number that may be large.
    pub(crate) fn count(&self, key: &str, range: RangeInclusive<u64>) -> Option<At<u64>> {
        let at = self.value(key)?;
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        if at.value.get_ref().as_integer().is_none() {
            self.wrong_type(&at, &wanted);
            return None;
        }
        let number = integer(at.value.get_ref()).and_then(|it| u64::try_from(it).ok());
        let number = number.filter(|it| range.contains(it));
        if number.is_none() {
            self.reader.wrong(&at, "this number is out of range", format!("write {wanted}"));
        }
        number.map(|it| at.with(it))
    }

    pub(crate) fn duration(&self, key: &str) -> Option<At<Duration>> {
        let at = self.value(key)?;
        let wanted = "a span such as \"500ms\", \"15s\", \"2m\" or \"1h\"";
        let Some(text) = at.value.get_ref().as_str() else {
            self.wrong_type(&at, wanted);
            return None;
        };
        let span = duration::parse(text);
        if span.is_none() {
            self.reader.wrong(&at, format!("{} is not a duration", quoted(text)), format!("write {wanted}"));
        }
        Some(at.with(span?))
    }

    /// One of a few words.
    /// A span that may be written in days, weeks and years, `least` or longer.
    pub(crate) fn long_duration(&self, key: &str, least: Duration) -> Option<At<Duration>> {
        let at = self.string(key)?;
        let span = duration::parse_long(&at.value).or_else(|| duration::parse(&at.value));
        match span.filter(|it| *it >= least) {
            Some(span) => Some(at.with(span)),
            None => {
                let problem = format!("{} is no span of {} s or more", quoted(&at.value), least.as_secs());
                self.reader.wrong(&at, problem, "write \"90d\", \"12h\" or \"60s\"");
                None
            }
        }
    }

    pub(crate) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Option<At<T>> {
        let at = self.string(key)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == at.value) {
            return Some(at.with(*value));
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let fix = match nearest(&at.value, words.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("write one of: {}", words.join(", ")),
        };
        self.reader.wrong(&at, format!("{} is not known", quoted(&at.value)), fix);
        None
    }

    pub(crate) fn strings(&self, key: &str) -> Option<At<Vec<At<String>>>> {
        let at = self.value(key)?;
        self.as_strings(&at)
    }

    pub(crate) fn as_strings(&self, at: &At<&'r Value<'t>>) -> Option<At<Vec<At<String>>>> {
        let Some(array) = at.value.get_ref().as_array() else {
            self.wrong_type(at, "a list of texts: [\"…\", \"…\"]");
            return None;
        };
        let mut texts = Vec::new();
        for value in array {
            let place = At { value, key: at.key.clone(), span: value.span() };
            match value.get_ref().as_str() {
                Some(text) => texts.push(place.with(text.to_owned())),
                None => self.wrong_type(&place, "text in quotes"),
            }
        }
        Some(at.with(texts))
    }

    /// Variables and their values; numbers and booleans are taken as text.
    pub(crate) fn variables(&self, key: &str) -> BTreeMap<String, At<String>> {
        let Some(table) = self.any_table(key) else { return BTreeMap::new() };
        let mut variables = BTreeMap::new();
        for (name, at) in table.entries() {
            let text = match at.value.get_ref() {
                DeValue::String(text) => text.clone().into_owned(),
                DeValue::Boolean(value) => value.to_string(),
                value @ DeValue::Integer(_) => match integer(value) {
                    Some(number) => number.to_string(),
                    None => {
                        self.reader.wrong(&at, "this number is out of range", "write it as text");
                        continue;
                    }
                },
                _ => {
                    self.wrong_type(&at, "text in quotes");
                    continue;
                }
            };
            if !is_variable(&name) {
                let fix = "use letters, digits and _, and no digit first";
                self.reader.wrong(&at, format!("{} cannot name a variable", quoted(&name)), fix);
            } else if name == "PORT" {
                self.reader.wrong(
                    &at,
                    "PORT is handed to each replica",
                    "remove it; a fixed port is port = …",
                );
            } else if text.contains('\0') {
                self.reader.wrong(&at, "the value holds a NUL character", "remove it");
            } else {
                variables.insert(name, at.with(text));
            }
        }
        variables
    }

    /// The section `key` of this one, checked against the keys of `kind`.
    pub(crate) fn table(&self, key: &str, kind: &str) -> Option<Section<'r, 't>> {
        let at = self.value(key)?;
        self.as_table(&at, kind)
    }

    pub(crate) fn as_table(&self, at: &At<&'r Value<'t>>, kind: &str) -> Option<Section<'r, 't>> {
        match at.value.get_ref().as_table() {
            Some(table) => Some(Section::open(self.reader, kind, &at.key, table, at.span.clone())),
            None => {
                self.wrong_type(at, &format!("a section: [{}]", at.key));
                None
            }
        }
    }

    /// The sections under `key`, whose names the writer chose.
    pub(crate) fn named(&self, key: &str, kind: &str) -> Vec<(String, Section<'r, 't>)> {
        let Some(table) = self.any_table(key) else { return Vec::new() };
        table
            .entries()
            .into_iter()
            .filter_map(|(name, at)| {
                let section = self.as_table(&at, kind)?;
                Some((name, section))
            })
            .collect()
    }

    /// The values of a section with any keys.
    pub(crate) fn values(&self, key: &str) -> Vec<(String, At<&'r Value<'t>>)> {
        self.any_table(key).map(|table| table.entries()).unwrap_or_default()
    }

    /// The texts of a section with any keys.
    pub(crate) fn texts(&self, key: &str) -> Vec<(String, At<String>)> {
        let mut texts = Vec::new();
        for (name, at) in self.values(key) {
            match at.value.get_ref().as_str() {
                Some(text) => texts.push((name, at.with(text.to_owned()))),
                None => self.wrong_type(&at, "text in quotes"),
            }
        }
        texts
    }

    /// A section with any keys.
    fn any_table(&self, key: &str) -> Option<Section<'r, 't>> {
        let at = self.value(key)?;
        match at.value.get_ref().as_table() {
            Some(table) => Some(Section { reader: self.reader, path: at.key, span: at.span, table }),
            None => {
                self.wrong_type(&at, &format!("a section: [{}]", at.key));
                None
            }
        }
    }

    fn entries(&self) -> Vec<(String, At<&'r Value<'t>>)> {
        let names = self.table.keys().map(|name| name.get_ref().clone().into_owned());
        names.filter_map(|name| Some((name.clone(), self.value(&name)?))).collect()
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn join(path: &str, key: &str) -> String {
    // Names that a person would have to quote are quoted, and cannot break the report.
    let plain = key.chars().all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '-') && !key.is_empty();
    let key = if plain { key.to_owned() } else { quoted(key) };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// Whether a word can name an environment variable.
pub(crate) fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 128
        && !name.starts_with(|it: char| it.is_ascii_digit())
        && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
}
