//! A YAML text as a tree in which every value knows its line, so that all faults can be told at once.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Line, from 1; 0: not known.
    pub(super) line: u64,
    /// What stands there.
    pub(super) is: Is,
    /// Where its text begins and how long it is, in bytes.
    span: Option<(u64, u64)>,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Is {
    Null,
    /// And as it stands in the file.
    Bool(bool, String),
    /// As it stands in the file, and as a number.
    Number(String, serde_json::Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// How deep lists and tables may nest: 32 routes take two levels each.
const DEEPEST: usize = 72;
/// What reading takes for each level is large without optimisation: up to 32 KiB.
const STACK: usize = 8 << 20;

/// Why a file cannot be read, and the line where that is known.
pub(super) type Unreadable = (Option<u64>, String);

/// Reads a file; `yaml` is one document.
pub(super) fn read(yaml: &str) -> Result<Node, Unreadable> {
    // On a stack of its own: that of the caller may be too small for the depth that is allowed.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || parse(yaml));
        let thread = thread.map_err(|error| (None, format!("there is no thread to read it: {error}")))?;
        thread.join().unwrap_or_else(|_| Err((None, "it cannot be read".to_owned())))
    })
}

fn parse(yaml: &str) -> Result<Node, Unreadable> {
    let budget = serde_saphyr::budget! { max_depth: DEEPEST, max_nodes: 500_000 };
    match serde_saphyr::from_str_with_options::<Spanned<Is>>(yaml, serde_saphyr::options! { budget: budget })
    {
        Ok(spanned) => {
            let mut node = Node::from(spanned);
            node.restore(yaml);
            Ok(node)
        }
        Err(error) => Err((error.location().map(|at| at.line()), error.without_snippet().to_string())),
    }
}

impl Node {
    /// What people call it.
    pub(super) fn kind(&self) -> &'static str {
        match self.is {
            Is::Null => "nothing",
            Is::Bool(..) => "a truth value",
            Is::Number(..) => "a number",
            Is::Text(_) => "a text",
            Is::List(_) => "a list",
            Is::Map(_) => "a table",
        }
    }

    /// Its text, or what stands in the file for a number or truth value; `None` for lists and tables.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.is {
            Is::Text(text) | Is::Number(text, _) | Is::Bool(_, text) => Some(text),
            Is::Null => Some(""),
            Is::List(_) | Is::Map(_) => None,
        }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Is::Map(entries) = &self.is else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// Gives numbers and truth values the text that stands in the file: where a text is meant, `0010` is not 10.
    fn restore(&mut self, yaml: &str) {
        let written = self.span.and_then(|(start, length)| {
            let start = usize::try_from(start).ok()?;
            yaml.get(start..start.checked_add(usize::try_from(length).ok()?)?)
        });
        let plain = |text: &&str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c))
        };
        match &mut self.is {
            Is::Number(text, _) | Is::Bool(_, text) => {
                if let Some(written) = written.filter(plain) {
                    written.clone_into(text);
                }
            }
            Is::List(nodes) => nodes.iter_mut().for_each(|node| node.restore(yaml)),
            Is::Map(entries) => entries.iter_mut().for_each(|(_, node)| node.restore(yaml)),
            Is::Null | Is::Text(_) => {}
        }
    }

    /// The same without lines.
    pub(super) fn value(&self) -> Value {
        match &self.is {
            Is::Null => Value::Null,
            Is::Bool(it, _) => Value::Bool(*it),
            Is::Number(_, number) => Value::Number(number.clone()),
            Is::Text(text) => Value::String(text.clone()),
            Is::List(nodes) => Value::Array(nodes.iter().map(Self::value).collect()),
            Is::Map(entries) => Value::Object(
                entries.iter().map(|(key, node)| (key.clone(), node.value())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// Every text in it.
    pub(super) fn texts(&mut self, change: &mut impl FnMut(u64, &mut String)) {
        let line = self.line;
        match &mut self.is {
            Is::Text(text) => change(line, text),
            Is::List(nodes) => nodes.iter_mut().for_each(|node| node.texts(change)),
            Is::Map(entries) => entries.iter_mut().for_each(|(_, node)| node.texts(change)),
            Is::Null | Is::Bool(..) | Is::Number(..) => {}
        }
    }
}

impl From<Spanned<Is>> for Node {
    fn from(spanned: Spanned<Is>) -> Self {
        let span = spanned.defined.span();
        let span = span.byte_offset().zip(span.byte_len());
        Self { line: spanned.referenced.line(), is: spanned.value, span }
    }
}

impl<'de> Deserialize<'de> for Is {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Is;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Is, E> {
        Ok(Is::Null)
    }

    fn visit_none<E>(self) -> Result<Is, E> {
        Ok(Is::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Is, D::Error> {
        Is::deserialize(deserializer)
    }

    fn visit_bool<E>(self, it: bool) -> Result<Is, E> {
        Ok(Is::Bool(it, it.to_string()))
    }

    fn visit_i64<E>(self, it: i64) -> Result<Is, E> {
        Ok(Is::Number(it.to_string(), it.into()))
    }

    fn visit_u64<E>(self, it: u64) -> Result<Is, E> {
        Ok(Is::Number(it.to_string(), it.into()))
    }

    fn visit_f64<E>(self, it: f64) -> Result<Is, E> {
        // Infinities and NaN have no number in JSON.
        Ok(serde_json::Number::from_f64(it)
            .map_or_else(|| Is::Text(it.to_string()), |number| Is::Number(it.to_string(), number)))
    }

    fn visit_str<E>(self, it: &str) -> Result<Is, E> {
        Ok(Is::Text(it.to_owned()))
    }

    fn visit_string<E>(self, it: String) -> Result<Is, E> {
        Ok(Is::Text(it))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Is, A::Error> {
        let mut nodes = Vec::new();
        while let Some(spanned) = seq.next_element::<Spanned<Is>>()? {
            nodes.push(spanned.into());
        }
        Ok(Is::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Is, A::Error> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        while let Some((key, spanned)) = map.next_entry::<String, Spanned<Is>>()? {
            if entries.len() >= 100_000 {
                return Err(de::Error::custom("a table has more than 100000 keys"));
            }
            entries.push((key, spanned.into()));
        }
        Ok(Is::Map(entries))
    }
}
