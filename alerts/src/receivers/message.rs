use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

/// What is sent.
#[derive(Clone, Debug)]
pub enum Message {
    /// By HTTP.
    Http(HttpMessage),
    /// By mail.
    Mail(Box<MailMessage>),
    /// Into the server's own log.
    Log(String),
}

/// A request. Address and headers are secret as a whole: tokens stand in both.
#[derive(Clone)]
pub struct HttpMessage {
    /// `POST`, or what the settings say.
    pub method: String,
    /// Where to.
    pub url: SecretString,
    /// Names and values.
    pub headers: Vec<(String, SecretString)>,
    /// What is sent; it may hold keys: never logged.
    pub body: Vec<u8>,
    /// Longest time for the whole exchange.
    pub timeout: Duration,
    /// Whether addresses of private networks may be asked though the stack is in production.
    pub allow_private: bool,
}

impl fmt::Debug for HttpMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("HttpMessage")
            .field("method", &self.method)
            .field("headers", &names)
            .field("bytes", &self.body.len())
            .field("timeout", &self.timeout)
            .field("allow_private", &self.allow_private)
            .finish_non_exhaustive()
    }
}

/// A mail.
#[derive(Clone, Debug)]
pub struct MailMessage {
    /// Server and port.
    pub smarthost: String,
    /// Name that is said in EHLO; empty: the machine's.
    pub hello: String,
    /// Who signs in.
    pub username: Option<String>,
    /// With what.
    pub password: Option<SecretString>,
    /// Whether STARTTLS is a must.
    pub require_tls: bool,
    /// Sender.
    pub from: String,
    /// Receivers, separated by commas.
    pub to: String,
    /// Further headers, `Subject` among them.
    pub headers: Vec<(String, String)>,
    /// HTML part; may be empty.
    pub html: String,
    /// Text part; may be empty.
    pub text: String,
}

/// What a receiver answered.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// HTTP status; of a mail 250 when it was taken.
    pub status: u16,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
    /// The beginning of the body, at most 64 KiB.
    pub body: &'a [u8],
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has it.
    Delivered {
        /// What it said, without anything secret.
        detail: String,
    },
    /// Try again, not before `wait` when there is one.
    Failed {
        /// Why.
        detail: String,
        /// How long the receiver wants us to wait.
        wait: Option<Duration>,
    },
    /// It will never work as it is: tell somebody else.
    Refused {
        /// Why.
        detail: String,
    },
}

/// The rule that most receivers follow: 2xx is delivered; what may work later is tried again; all else, redirects too, never will.
pub(super) fn judge(answer: &Answer<'_>) -> Verdict {
    let detail = told(answer);
    match answer.status {
        200..=299 => Verdict::Delivered { detail },
        408 | 425 | 429 | 500..=599 => Verdict::Failed { detail, wait: answer.retry_after },
        _ => Verdict::Refused { detail },
    }
}

/// Status and the beginning of the body in one line, at most [`DETAIL`] characters.
pub(super) fn told(answer: &Answer<'_>) -> String {
    let body = String::from_utf8_lossy(answer.body);
    let words: Vec<&str> = body.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let text = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let line = format!("{} {text}", answer.status);
    line.trim_end().chars().take(DETAIL).collect()
}

/// Longest detail of an attempt, in characters.
const DETAIL: usize = 500;
