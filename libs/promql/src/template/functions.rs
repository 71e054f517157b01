//! The functions that every Go template has.

use std::cmp::Ordering;

use super::host::Object;
use super::value::Value;
use super::{TemplateError, printf, prometheus};

/// Functions of Go's own; `and` and `or` are evaluated where they are called, as they may not need all arguments.
const OWN: [&str; 18] = [
    "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "eq", "ne", "lt", "le", "gt",
    "ge", "html", "urlquery", "call",
];

/// Whether it is one of Go's own.
pub(super) fn is_go(name: &str) -> bool {
    OWN.contains(&name)
}

/// Whether a rule's template can call a function of this name.
pub(super) fn is_known(name: &str) -> bool {
    is_go(name) || prometheus::FUNCTIONS.contains(&name)
}

/// The value of one of Go's own functions; `None` for another. Its text may have `most` bytes.
pub(super) fn call(name: &str, arguments: &[Value], most: usize) -> Option<Result<Value, TemplateError>> {
    let text = |it: String| Ok(Value::text(it));
    Some(match (name, arguments) {
        ("not", [it]) => Ok(Value::Bool(!it.is_true())),
        ("len", [it]) => length(it),
        ("index", [it, keys @ ..]) => keys.iter().try_fold(it.clone(), |it, key| index(&it, key)),
        ("slice", [it, ends @ ..]) => slice(it, ends),
        ("print", all) => text(printf::sprint(all)),
        ("println", all) => text(printf::sprintln(all)),
        ("printf", [Value::Text(format), rest @ ..]) => printf::sprintf(format, rest, most)
            .map(Value::text)
            .ok_or_else(|| TemplateError::new(format!("printf makes more than {most} bytes"))),
        ("printf", [other, ..]) => {
            Err(TemplateError::new(format!("printf wants a string first, not a {}", other.kind())))
        }
        ("eq", [first, rest @ ..]) if !rest.is_empty() => any_equal(first, rest).map(Value::Bool),
        ("ne", [a, b]) => equal(a, b).map(|it| Value::Bool(!it)),
        ("lt", [a, b]) => less(a, b).map(Value::Bool),
        ("le", [a, b]) => less_or_equal(a, b).map(Value::Bool),
        // As in Go, these two are what the others are not: NaN is greater than everything.
        ("gt", [a, b]) => less_or_equal(a, b).map(|it| Value::Bool(!it)),
        ("ge", [a, b]) => less(a, b).map(|it| Value::Bool(!it)),
        ("html", all) => text(html(&printf::sprint(all))),
        ("urlquery", all) => text(prometheus::query_escape(&printf::sprint(all))),
        ("call", _) => Err(TemplateError::new("call: there is no value that is a function")),
        (name, _) if OWN.contains(&name) => {
            Err(TemplateError::new(format!("wrong number of arguments for {name}: {}", arguments.len())))
        }
        _ => return None,
    })
}

fn length(value: &Value) -> Result<Value, TemplateError> {
    let length = match value {
        Value::Text(it) => it.len(),
        Value::Labels(it) => it.len(),
        Value::Map(it) => it.len(),
        Value::Samples(it) => it.len(),
        Value::List(it) => it.len(),
        Value::Object(it) => {
            it.count().ok_or_else(|| TemplateError::new(format!("len of a {}", it.kind())))?
        }
        other => return Err(TemplateError::new(format!("len of a {}", other.kind()))),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn index(value: &Value, key: &Value) -> Result<Value, TemplateError> {
    let place = |length: usize| match key {
        Value::Int(it) => usize::try_from(*it)
            .ok()
            .filter(|it| *it < length)
            .ok_or_else(|| TemplateError::new(format!("index {it} of {length} is out of range"))),
        other => Err(TemplateError::new(format!("cannot index with a {}", other.kind()))),
    };
    match (value, key) {
        (Value::Labels(_) | Value::Map(_), Value::Text(key)) => value.field(key),
        (Value::Samples(it), _) => {
            let found = it.get(place(it.len())?);
            Ok(found.map_or(Value::Nil, |(labels, value)| Value::Sample(labels.clone(), *value)))
        }
        (Value::List(it), _) => Ok(it.get(place(it.len())?).cloned().unwrap_or(Value::Nil)),
        (Value::Object(it), _) => of_object(&**it, key),
        (Value::Text(it), _) => {
            let byte = it.as_bytes().get(place(it.len())?);
            Ok(byte.map_or(Value::Nil, |byte| Value::Int(i64::from(*byte))))
        }
        (value, key) => {
            Err(TemplateError::new(format!("cannot index a {} with a {}", value.kind(), key.kind())))
        }
    }
}

/// What stands under a key of a collection of the caller's.
fn of_object(object: &dyn Object, key: &Value) -> Result<Value, TemplateError> {
    let wrong = |why: &str| TemplateError::new(format!("cannot index a {}: {why}", object.kind()));
    if object.count().is_none() {
        return Err(wrong("it is no collection"));
    }
    for (it, value) in object.items() {
        if equal(&it, key)? {
            return Ok(value);
        }
    }
    object.missing().ok_or_else(|| wrong("the index is out of range"))
}

fn slice(value: &Value, ends: &[Value]) -> Result<Value, TemplateError> {
    let Value::Text(text) = value else {
        return Err(TemplateError::new(format!("cannot slice a {}", value.kind())));
    };
    let end = |at: usize, default: usize| match ends.get(at) {
        None => Ok(default),
        Some(Value::Int(it)) => usize::try_from(*it).map_err(|_| TemplateError::new("a slice out of range")),
        Some(other) => Err(TemplateError::new(format!("cannot slice with a {}", other.kind()))),
    };
    let (from, to) = (end(0, 0)?, end(1, text.len())?);
    match text.get(from..to) {
        Some(part) if ends.len() <= 2 => Ok(Value::text(part)),
        _ => Err(TemplateError::new(format!("slice {from}:{to} of {} bytes is out of range", text.len()))),
    }
}

fn any_equal(first: &Value, rest: &[Value]) -> Result<bool, TemplateError> {
    for it in rest {
        if equal(first, it)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn incomparable(a: &Value, b: &Value) -> TemplateError {
    TemplateError::new(format!(
        "cannot compare a {} with a {}; write a float with a point, such as 5.0",
        a.kind(),
        b.kind()
    ))
}

#[allow(clippy::float_cmp, reason = "as in Go, equality of floats is exact")]
fn equal(a: &Value, b: &Value) -> Result<bool, TemplateError> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Int(a), Value::Int(b)) | (Value::Duration(a), Value::Duration(b)) => Ok(a == b),
        (Value::Float(a), Value::Float(b)) => Ok(a == b),
        (Value::Text(a), Value::Text(b)) => Ok(a == b),
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        _ => Err(incomparable(a, b)),
    }
}

fn order(a: &Value, b: &Value) -> Result<Option<Ordering>, TemplateError> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) | (Value::Duration(a), Value::Duration(b)) => Ok(Some(a.cmp(b))),
        (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b)),
        (Value::Text(a), Value::Text(b)) => Ok(Some(a.cmp(b))),
        _ => Err(incomparable(a, b)),
    }
}

fn less(a: &Value, b: &Value) -> Result<bool, TemplateError> {
    Ok(order(a, b)? == Some(Ordering::Less))
}

fn less_or_equal(a: &Value, b: &Value) -> Result<bool, TemplateError> {
    Ok(order(a, b)?.is_some_and(Ordering::is_le))
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
