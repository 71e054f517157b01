//! One request and its answer, with bounds, in our words.

use bytes::Bytes;
use futures::StreamExt;
use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{LONGEST_ANSWER, Read, Vault};
use crate::secrets::stores::StoreError;

/// What is sent. Zeroed when dropped.
pub(super) type Body = Zeroizing<Vec<u8>>;

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    bytes: Zeroizing<Vec<u8>>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    auth: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<String>,
}

impl Vault {
    /// Calls with a token. What it answers is good.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &[&str],
        body: Option<Body>,
        words: &str,
    ) -> Result<Answer, StoreError> {
        self.call_with(method, path, None, body, words).await
    }

    /// As [`Vault::call`], with a parameter in the address.
    pub(super) async fn call_with(
        &self,
        method: Method,
        path: &[&str],
        query: Option<(&str, u64)>,
        body: Option<Body>,
        words: &str,
    ) -> Result<Answer, StoreError> {
        self.send(method, path, query, body.as_ref(), words).await?.checked(words)
    }

    /// Calls with a token, whatever is answered. When the token is refused: once more with a new one.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &[&str],
        query: Option<(&str, u64)>,
        body: Option<&Body>,
        words: &str,
    ) -> Result<Answer, StoreError> {
        let token = self.login.token(self).await?;
        let answer = self.once(method.clone(), path, query, body, Some(&token.secret), words).await?;
        if answer.status != StatusCode::FORBIDDEN {
            return Ok(answer);
        }
        match self.login.again(self, &token).await? {
            Some(token) => self.once(method, path, query, body, Some(&token.secret), words).await,
            None => Ok(answer),
        }
    }

    /// One request.
    pub(super) async fn once(
        &self,
        method: Method,
        path: &[&str],
        query: Option<(&str, u64)>,
        body: Option<&Body>,
        token: Option<&SecretString>,
        words: &str,
    ) -> Result<Answer, StoreError> {
        let mut request = self.http.request(method, self.url(path, query)?).header("x-vault-request", "true");
        if let Some(token) = token {
            let mut header = HeaderValue::from_str(token.expose_secret()).map_err(|_| {
                StoreError::Unsound("the token for the vault has bytes that no token has".to_owned())
            })?;
            header.set_sensitive(true);
            request = request.header("x-vault-token", header);
        }
        if let Some(namespace) = &self.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        if let Some(body) = body {
            request =
                request.header("content-type", "application/json").body(Bytes::from_owner(body.clone()));
        }
        let response = request.send().await.map_err(|error| self.no_answer(&error))?;
        let status = response.status().as_u16();
        let mut bytes = Zeroizing::new(Vec::with_capacity(4_096));
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| self.no_answer(&error))?;
            if bytes.len() + chunk.len() > LONGEST_ANSWER {
                return Err(StoreError::Unsound(format!(
                    "{words}: the vault's answer is longer than {} KiB, which no secret is",
                    LONGEST_ANSWER >> 10
                )));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Answer { status, bytes })
    }

    fn url(&self, path: &[&str], query: Option<(&str, u64)>) -> Result<url::Url, StoreError> {
        let mut url = self.address.clone();
        // The parser would take dots for steps up the path, and leave out what is empty.
        let is_bad = |part: &&&str| matches!(**part, "" | "." | "..") || part.contains(['\0', '\r', '\n']);
        if path.iter().find(is_bad).is_some() {
            return Err(StoreError::Unsound(format!("vault {} is no path", path.join("/"))));
        }
        url.path_segments_mut()
            .map_err(|()| StoreError::Unsound("the address of the vault takes no path".to_owned()))?
            .pop_if_empty()
            .push("v1")
            .extend(path);
        if let Some((name, value)) = query {
            url.query_pairs_mut().append_pair(name, &value.to_string());
        }
        Ok(url)
    }

    fn no_answer(&self, error: &reqwest::Error) -> StoreError {
        if error.is_timeout() {
            return self.late();
        }
        let what =
            if error.is_connect() { "could not be reached" } else { "broke off in the middle of an answer" };
        StoreError::Unreachable(format!("the vault at {} {what}: see whether it runs there", self.host()))
    }
}

impl Answer {
    /// Itself if it is good; else what is wrong, in our words.
    pub(super) fn checked(self, words: &str) -> Result<Self, StoreError> {
        self.ok(words)?;
        Ok(self)
    }

    /// As [`Answer::checked`], and it stays where it is.
    pub(super) fn ok(&self, words: &str) -> Result<&Self, StoreError> {
        let (status, text) = match self.status {
            200..=299 => return Ok(self),
            403 => return Err(StoreError::Refused(format!("{words}: the server's token does not allow it"))),
            404 => return Err(StoreError::Missing(format!("{words}: there is nothing, or it was deleted"))),
            400 | 405 => {
                return Err(StoreError::Refused(format!(
                    "{words}: the vault refuses the request: is it a key-value store of version 2?"
                )));
            }
            status @ (429 | 472 | 473) => (status, "it is busy, or a standby"),
            status @ 503 => (status, "it is sealed or in maintenance: unseal it"),
            status @ 500..=599 => {
                (status, "it fails, as it does when no audit device takes its entries: see its log")
            }
            status @ 300..=399 => (status, "it sends us elsewhere: name the active server's address"),
            status => (status, "it answers nothing that a vault answers"),
        };
        Err(StoreError::Unreachable(format!("{words}: {text} (status {status})")))
    }

    /// What the answer's `data` is.
    pub(super) fn data<'a, T: Deserialize<'a>>(&'a self, words: &str) -> Result<T, StoreError> {
        let envelope: Envelope<'a> = serde_json::from_slice(&self.bytes).map_err(|_| no_sense(words))?;
        let data = envelope.data.ok_or_else(|| no_sense(words))?;
        serde_json::from_str(data.get()).map_err(|_| no_sense(words))
    }

    /// What the answer's `auth` is.
    pub(super) fn auth<'a, T: Deserialize<'a>>(&'a self, words: &str) -> Result<T, StoreError> {
        let envelope: Envelope<'a> = serde_json::from_slice(&self.bytes).map_err(|_| no_sense(words))?;
        let auth = envelope.auth.ok_or_else(|| no_sense(words))?;
        serde_json::from_str(auth.get()).map_err(|_| no_sense(words))
    }

    /// Whether it says that another version is there than the writer thought.
    pub(super) fn is_conflict(&self) -> bool {
        let errors = serde_json::from_slice::<Errors>(&self.bytes).map(|it| it.errors).unwrap_or_default();
        errors.iter().any(|it| it.contains("check-and-set parameter did not match"))
    }
}

/// The answer cannot be read.
pub(super) fn no_sense(words: &str) -> StoreError {
    StoreError::Unsound(format!(
        "{words}: what the vault answers makes no sense: is it a key-value store of version 2?"
    ))
}

/// A JSON object of strings.
pub(super) fn object(fields: &[(&str, &str)]) -> Body {
    let mut body = Zeroizing::new(Vec::with_capacity(4_096));
    body.push(b'{');
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        string(&mut body, name);
        body.push(b':');
        string(&mut body, value);
    }
    body.push(b'}');
    body
}

/// What was read, with `field` set to `value`, to be written only if nothing newer is there.
pub(super) fn write_body(read: Option<&Read<'_>>, field: &str, value: &SecretString) -> Body {
    let version = read.map_or(0, |it| it.metadata.version);
    let mut body = Zeroizing::new(Vec::with_capacity(4_096));
    body.extend_from_slice(format!("{{\"options\":{{\"cas\":{version}}},\"data\":{{").as_bytes());
    for (name, other) in read.and_then(|it| it.data.as_ref()).into_iter().flatten() {
        if name != field {
            string(&mut body, name);
            body.push(b':');
            body.extend_from_slice(other.get().as_bytes());
            body.push(b',');
        }
    }
    string(&mut body, field);
    body.push(b':');
    string(&mut body, value.expose_secret());
    body.extend_from_slice(b"}}");
    body
}

fn string(body: &mut Body, text: &str) {
    serde_json::to_writer(&mut **body, text).expect("a string can be written as JSON into memory");
}
