//! Request bodies: JSON objects whose fields are checked one by one, so that all faults are told at once.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::problem::{Fault, Problem};

/// A JSON object, and what was found wrong with it so far.
pub(crate) struct Body {
    fields: Map<String, Value>,
    faults: Vec<Fault>,
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body must be application/json",
            ));
        }
        let bytes =
            Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => {
                    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 1 MiB")
                }
                _ => Problem::new(StatusCode::BAD_REQUEST, "the body could not be read"),
            })?;
        Self::read(&bytes)
    }
}

impl Body {
    fn read(bytes: &[u8]) -> Result<Self, Problem> {
        // The parser's text may quote the body, which may hold a password.
        let value: Value = serde_json::from_slice(bytes).map_err(|error| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                format!("the body is not json: line {}, column {}", error.line(), error.column()),
            )
        })?;
        match value {
            Value::Object(fields) => Ok(Self { fields, faults: Vec::new() }),
            _ => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "the body must be a json object")),
        }
    }

    /// A text of `1..=most` characters, without what a database or a mail header chokes on.
    pub(crate) fn text(&mut self, field: &'static str, most: usize) -> String {
        match self.fields.remove(field) {
            Some(Value::String(text)) => {
                if text.trim().is_empty() {
                    self.fault(field, "must not be empty");
                } else if text.len() > most && text.chars().count() > most {
                    self.fault(field, format!("must have at most {most} characters"));
                } else if text.contains('\0') {
                    self.fault(field, "must not contain a null character");
                }
                text
            }
            Some(_) => self.blank(field, "must be a text"),
            None => self.blank(field, "is missing"),
        }
    }

    /// As [`Body::text`], on one line.
    pub(crate) fn line(&mut self, field: &'static str, most: usize) -> String {
        let text = self.text(field, most);
        if text.chars().any(|character| character.is_control() && character != '\0') {
            self.fault(field, "must be one line");
        }
        text
    }

    /// One of a few words; `default` when absent.
    pub(crate) fn word(
        &mut self,
        field: &'static str,
        words: &[&'static str],
        default: Option<&'static str>,
    ) -> &'static str {
        let value = self.fields.remove(field);
        let word = match &value {
            None => default,
            Some(value) => value.as_str().and_then(|text| words.iter().copied().find(|word| *word == text)),
        };
        word.unwrap_or_else(|| {
            self.fault(field, format!("must be one of {}", words.join(", ")));
            ""
        })
    }

    /// Ends with every fault at once, if there is any.
    pub(crate) fn check(self) -> Result<(), Problem> {
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::invalid(self.faults)) }
    }

    fn blank(&mut self, field: &'static str, message: &str) -> String {
        self.fault(field, message);
        String::new()
    }

    fn fault(&mut self, field: &'static str, message: impl Into<String>) {
        self.faults.push(Fault { field, message: message.into() });
    }
}

/// An id in a path. What is no id names nothing.
pub(crate) fn id(text: &str) -> Result<Uuid, Problem> {
    text.parse().map_err(|_| Problem::not_found("there is no such ticket"))
}
