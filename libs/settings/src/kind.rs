use std::fmt;
use std::time::Duration;

use serde::Serialize;
use url::Url;

use crate::span;

/// What a value must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Any text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A URL with one of these schemes.
    Url(&'static [&'static str]),
    /// Such URLs, separated by commas.
    UrlList(&'static [&'static str]),
    /// Web origins separated by commas, or `*`.
    Origins,
    /// A text of at least this many characters that nobody can guess.
    Secret {
        /// Fewest characters.
        min: usize,
    },
    /// A whole number.
    Number {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// A whole number of milliseconds.
    Millis {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// A duration such as `15m`.
    Span,
    /// `true` or `false`.
    Flag,
    /// A mail address, alone or as `Name <address>`.
    Email,
    /// A host name or an address.
    Host,
    /// A Sentry DSN.
    Dsn,
}

/// A value that has its kind.
#[derive(Clone)]
pub(crate) enum Value {
    Text(String),
    List(Vec<String>),
    Number(u64),
    Span(Duration),
    Flag(bool),
}

impl Kind {
    /// Reads `raw`; the error says what is wrong without repeating the value.
    pub(crate) fn parse(self, raw: &str) -> Result<Value, String> {
        let text = || Value::Text(raw.to_owned());
        match self {
            Self::Text => Ok(text()),
            Self::Choice(words) if words.contains(&raw) => Ok(text()),
            Self::Choice(_) => Err("is none of the allowed words".into()),
            Self::Url(schemes) => url(raw, schemes).map(|()| text()),
            Self::UrlList(schemes) => list(raw, |item| url(item, schemes)),
            Self::Origins => list(raw, origin),
            Self::Secret { min } => match raw.chars().count() {
                length if length < min => Err(format!("is too short: {length} characters")),
                _ => Ok(text()),
            },
            Self::Number { min, max } => number(raw, min, max).map(Value::Number),
            Self::Millis { min, max } => {
                number(raw, min, max).map(|millis| Value::Span(Duration::from_millis(millis)))
            }
            Self::Span => span::parse(raw).map(Value::Span).map_err(|error| error.to_string()),
            Self::Flag => raw.parse().map(Value::Flag).map_err(|_| "is neither true nor false".into()),
            Self::Email => email(raw).map(|()| text()),
            Self::Host => host(raw).map(|()| text()),
            Self::Dsn => dsn(raw).map(|()| text()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("a text"),
            Self::Choice(words) => write!(f, "one of {}", words.join(", ")),
            Self::Url(schemes) => write!(f, "a URL that begins with {}", schemes_text(schemes)),
            Self::UrlList(schemes) => {
                write!(f, "URLs that begin with {}, separated by commas", schemes_text(schemes))
            }
            Self::Origins => f.write_str("origins such as https://app.example.com, separated by commas"),
            Self::Secret { min: 1 } => f.write_str("a secret text"),
            Self::Secret { min } => write!(f, "a random text of at least {min} characters"),
            Self::Number { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Millis { min, max } => write!(f, "milliseconds, a whole number from {min} to {max}"),
            Self::Span => f.write_str("a duration such as 500ms, 30s, 15m, 12h, 7d or 2w"),
            Self::Flag => f.write_str("true or false"),
            Self::Email => f.write_str("a mail address"),
            Self::Host => f.write_str("a host name or an address, without scheme and port"),
            Self::Dsn => f.write_str("a Sentry DSN such as https://key@o1.ingest.sentry.io/2"),
        }
    }
}

fn schemes_text(schemes: &[&str]) -> String {
    schemes.iter().map(|scheme| format!("{scheme}://")).collect::<Vec<_>>().join(" or ")
}

fn url(raw: &str, schemes: &[&str]) -> Result<(), String> {
    let url = Url::parse(raw).map_err(|error| format!("is not a URL: {error}"))?;
    if !schemes.contains(&url.scheme()) {
        return Err("has the wrong scheme".into());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("names no host".into());
    }
    Ok(())
}

fn origin(raw: &str) -> Result<(), String> {
    if raw == "*" {
        return Ok(());
    }
    url(raw, &["http", "https"])?;
    let url = Url::parse(raw).map_err(|error| error.to_string())?;
    if url.path() != "/" || url.query().is_some() || !url.username().is_empty() || raw.ends_with('/') {
        return Err("has an origin with more than scheme, host and port".into());
    }
    Ok(())
}

fn list(raw: &str, check: impl Fn(&str) -> Result<(), String>) -> Result<Value, String> {
    let items: Vec<&str> = raw.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    for (index, item) in items.iter().enumerate() {
        check(item).map_err(|problem| format!("{problem} (entry {})", index + 1))?;
    }
    Ok(Value::List(items.into_iter().map(str::to_owned).collect()))
}

fn number(raw: &str, min: u64, max: u64) -> Result<u64, String> {
    match raw.parse::<u64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        Ok(_) => Err("is out of range".into()),
        Err(_) => Err("is not a whole number".into()),
    }
}

fn email(raw: &str) -> Result<(), String> {
    let address = match raw.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').ok_or("has no closing bracket")?,
        None => raw,
    };
    let good = address.split_once('@').is_some_and(|(user, domain)| {
        !user.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !address.contains(char::is_whitespace)
    });
    if good { Ok(()) } else { Err("is not a mail address".into()) }
}

fn host(raw: &str) -> Result<(), String> {
    url::Host::parse(raw.trim()).map(|_| ()).map_err(|_| "is not a host name".into())
}

fn dsn(raw: &str) -> Result<(), String> {
    url(raw, &["http", "https"])?;
    let url = Url::parse(raw).map_err(|error| error.to_string())?;
    let project = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    if url.username().is_empty() {
        return Err("has no public key before the @".into());
    }
    if project.is_empty() {
        return Err("has no project at its end".into());
    }
    Ok(())
}
