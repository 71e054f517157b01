//! What the expressions of a template evaluate to.

use std::collections::BTreeMap;
use std::sync::Arc;

use ops_samples::Labels;

use super::{TemplateError, time};

/// A value of Go's, as far as the templates of rules meet them.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
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
}

impl Value {
    pub(super) fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Go's name of its type.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Labels(_) => "map[string]string",
            Self::Map(_) => "map[string]interface {}",
            Self::Sample(..) => "*template.sample",
            Self::Samples(_) => "template.queryResult",
            Self::Time(_) => "*time.Time",
            Self::Duration(_) => "time.Duration",
            Self::Data(_) => "struct",
        }
    }

    /// Whether it counts as true: neither nothing, zero nor empty.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(it) => *it,
            Self::Int(it) | Self::Duration(it) => *it != 0,
            Self::Float(it) => *it != 0.0,
            Self::Text(it) => !it.is_empty(),
            Self::Labels(it) => !it.is_empty(),
            Self::Map(it) => !it.is_empty(),
            Self::Samples(it) => !it.is_empty(),
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
            _ => None,
        };
        found.ok_or_else(|| TemplateError::new(format!("there is no field {name} in a {}", self.kind())))
    }
}
