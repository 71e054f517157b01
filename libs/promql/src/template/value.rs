//! What the expressions of a template evaluate to.

use std::collections::BTreeMap;
use std::sync::Arc;

use ops_samples::Labels;

use super::host::Object;
use super::{TemplateError, printf, time};

/// A value of Go's, as far as the templates of rules meet them.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing.
    Nil,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// A text that is printed as it is where others are escaped.
    Safe(Arc<str>),
    /// `map[string]string`.
    Labels(Labels),
    /// `map[string]interface{}`: what `args` makes.
    Map(Arc<BTreeMap<String, Value>>),
    /// One series of a query's result.
    Sample(Labels, f64),
    /// A query's result.
    Samples(Arc<Vec<(Labels, f64)>>),
    /// A time, in milliseconds since 1970-01-01 UTC.
    Time(i64),
    /// A length of time, in nanoseconds.
    Duration(i64),
    /// What the template speaks of as a whole: its fields in their order.
    Data(Arc<[(&'static str, Value)]>),
    /// A list.
    List(Arc<[Value]>),
    /// What the caller makes of it.
    Object(Arc<dyn Object>),
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Go's name of its type.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) | Self::Safe(_) => "string",
            Self::Labels(_) => "map[string]string",
            Self::Map(_) => "map[string]interface {}",
            Self::Sample(..) => "*template.sample",
            Self::Samples(_) => "template.queryResult",
            Self::Time(_) => "*time.Time",
            Self::Duration(_) => "time.Duration",
            Self::Data(_) => "struct",
            Self::List(_) => "[]interface {}",
            Self::Object(it) => it.kind(),
        }
    }

    /// Whether it counts as true: neither nothing, zero nor empty.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(it) => *it,
            Self::Int(it) | Self::Duration(it) => *it != 0,
            Self::Float(it) => *it != 0.0,
            Self::Text(it) | Self::Safe(it) => !it.is_empty(),
            Self::Labels(it) => !it.is_empty(),
            Self::Map(it) => !it.is_empty(),
            Self::Samples(it) => !it.is_empty(),
            Self::List(it) => !it.is_empty(),
            Self::Object(it) => it.is_true(),
            Self::Sample(..) | Self::Time(_) | Self::Data(_) => true,
        }
    }

    /// The value of a field, a key or a method without arguments.
    pub(super) fn field(&self, name: &str) -> Result<Self, TemplateError> {
        let found = match self {
            Self::Labels(labels) => Some(Self::text(labels.get(name).unwrap_or_default())),
            Self::Map(map) => Some(map.get(name).cloned().unwrap_or(Self::Nil)),
            Self::Sample(labels, _) if name == "Labels" => Some(Self::Labels(labels.clone())),
            Self::Sample(_, value) if name == "Value" => Some(Self::Float(*value)),
            Self::Data(fields) => fields.iter().find(|(it, _)| *it == name).map(|(_, value)| value.clone()),
            Self::Time(at_ms) => time::field(*at_ms, name).map(Self::Int),
            Self::Duration(nanos) => in_units(*nanos, name),
            Self::Object(it) => match it.field(name, &[]) {
                Some(value) => return value,
                None => None,
            },
            _ => None,
        };
        found.ok_or_else(|| TemplateError::new(format!("there is no field {name} in a {}", self.kind())))
    }

    /// What a method gives that takes arguments.
    pub(super) fn method(&self, name: &str, arguments: &[Self]) -> Result<Self, TemplateError> {
        let wrong = || TemplateError::new("arguments are given to something that is no function");
        match self {
            Self::Object(it) => it.field(name, arguments).ok_or_else(wrong)?,
            _ => Err(wrong()),
        }
    }

    /// As `print` shows it.
    #[must_use]
    pub fn shown(&self) -> String {
        printf::shown(self)
    }
}

/// A length of time in hours, minutes and so on.
fn in_units(nanos: i64, unit: &str) -> Option<Value> {
    #[allow(clippy::cast_precision_loss, reason = "as in Go")]
    let size = nanos as f64;
    Some(match unit {
        "Hours" => Value::Float(size / 3.6e12),
        "Minutes" => Value::Float(size / 6e10),
        "Seconds" => Value::Float(size / 1e9),
        "Milliseconds" => Value::Int(nanos / 1_000_000),
        "Nanoseconds" => Value::Int(nanos),
        "String" => Value::text(time::duration(nanos)),
        _ => return None,
    })
}
