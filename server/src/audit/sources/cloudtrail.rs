//! Reads files of AWS CloudTrail: who asked Secrets Manager for what, and who switched a trail off.
//!
//! Of what was sent and answered the secrets' ids are taken over and nothing else. A file may be brought again: an event is
//! known by its id.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::IpAddr;

use flate2::read::MultiGzDecoder;
use ops_audit::entry::{Actor, ActorKind, Draft, Outcome};
use ops_contract::{SecretSource, SecretSpec};
use serde::Deserialize;

use crate::audit::Entry;

/// The device under which all of it stands.
pub(crate) const DEVICE: &str = "cloudtrail";
/// Longest file, unpacked.
const UNPACKED: u64 = 64 << 20;
/// Most secrets of one event.
const SECRETS: usize = 100;
/// Services whose events are all taken; of others those in [`LOGINS`].
const SERVICES: [&str; 2] = ["secretsmanager.amazonaws.com", "cloudtrail.amazonaws.com"];
/// Events by which somebody becomes somebody.
const LOGINS: [(&str, &str, &str); 5] = [
    ("sts.amazonaws.com", "AssumeRole", "aws.assume_role"),
    ("sts.amazonaws.com", "AssumeRoleWithSAML", "aws.assume_role"),
    ("sts.amazonaws.com", "AssumeRoleWithWebIdentity", "aws.assume_role"),
    ("signin.amazonaws.com", "ConsoleLogin", "aws.login"),
    ("sso.amazonaws.com", "Authenticate", "aws.login"),
];

/// What cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unread {
    #[error("the file is longer than {} MiB when it is unpacked: bring it in parts", UNPACKED >> 20)]
    TooLong,
    #[error("the file is packed with gzip, and damaged")]
    Damaged,
    #[error("this is no file of CloudTrail: a JSON object with Records (line {line}, column {column})")]
    NoRecords { line: usize, column: usize },
}

/// What a file holds.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Entries for the log.
    pub(crate) drafts: Vec<Draft>,
    /// Events that are about no secret, no trail and no login.
    pub(crate) others: u64,
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(rename = "eventID")]
    event_id: Option<String>,
    event_time: Option<String>,
    event_source: Option<String>,
    event_name: Option<String>,
    aws_region: Option<String>,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: Option<String>,
    user_identity: Option<Identity>,
    error_code: Option<String>,
    request_parameters: Option<Parameters>,
    recipient_account_id: Option<String>,
    response_elements: Option<Elements>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    #[serde(rename = "type")]
    kind: Option<String>,
    arn: Option<String>,
    principal_id: Option<String>,
    user_name: Option<String>,
    invoked_by: Option<String>,
    access_key_id: Option<String>,
    session_context: Option<Session>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    session_issuer: Option<Issuer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issuer {
    user_name: Option<String>,
}

/// The ids in what was sent; the rest is passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    #[serde(default, deserialize_with = "lenient")]
    secret_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    secret_id_list: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    role_arn: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    version_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Elements {
    #[serde(rename = "ConsoleLogin", default, deserialize_with = "lenient")]
    console_login: Option<String>,
}

/// What has another form than expected is as good as missing: each service names its parameters as it likes.
fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

/// Reads a file, packed with gzip or not.
pub(crate) fn read(bytes: &[u8], secrets: &BTreeMap<String, SecretSpec>) -> Result<Found, Unread> {
    let unpacked;
    let text = if bytes.starts_with(&[0x1f, 0x8b]) {
        unpacked = unpack(bytes)?;
        unpacked.as_slice()
    } else {
        bytes
    };
    let file: File = serde_json::from_slice(text)
        .map_err(|error| Unread::NoRecords { line: error.line(), column: error.column() })?;
    let mut found = Found::default();
    for record in &file.records {
        match record.action() {
            Some(action) => {
                found.drafts.extend(record.entries(&action, secrets).into_iter().map(Entry::draft))
            }
            None => found.others += 1,
        }
    }
    Ok(found)
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, Unread> {
    let mut unpacked = Vec::new();
    let read = MultiGzDecoder::new(bytes).take(UNPACKED + 1).read_to_end(&mut unpacked);
    match read {
        Ok(_) if unpacked.len() as u64 > UNPACKED => Err(Unread::TooLong),
        Ok(_) => Ok(unpacked),
        Err(_) => Err(Unread::Damaged),
    }
}

impl Record {
    /// `aws.get_secret_value`; `None` for what does not belong into this log.
    fn action(&self) -> Option<String> {
        let (source, name) = (self.event_source.as_deref()?, self.event_name.as_deref()?);
        self.event_id.as_deref().filter(|it| !it.is_empty() && it.len() <= 100)?;
        if let Some((.., action)) = LOGINS.iter().find(|it| (it.0, it.1) == (source, name)) {
            return Some((*action).to_owned());
        }
        (SERVICES.contains(&source) && is_word(name)).then(|| format!("aws.{}", snake(name)))
    }

    fn entries(&self, action: &str, secrets: &BTreeMap<String, SecretSpec>) -> Vec<Entry> {
        let id = self.event_id.as_deref().unwrap_or_default();
        let sent = self.request_parameters.as_ref();
        let list = sent.and_then(|it| it.secret_id_list.as_ref()).into_iter().flatten().take(SECRETS);
        let ids: Vec<&str> =
            sent.and_then(|it| it.secret_id.as_deref()).into_iter().chain(list.map(String::as_str)).collect();
        if ids.is_empty() {
            let about = sent.and_then(|it| it.role_arn.as_deref().or(it.name.as_deref()));
            return vec![self.entry(action, about.unwrap_or("-"), id)];
        }
        let mut entries = Vec::new();
        for (index, secret) in ids.iter().enumerate() {
            let event = if index == 0 { id.to_owned() } else { format!("{id}/{index}") };
            let names = ours(secrets, secret);
            if names.is_empty() {
                entries.push(self.entry(action, secret, &event));
            }
            for (number, name) in names.into_iter().enumerate() {
                let event = if number == 0 { event.clone() } else { format!("{event}:{number}") };
                entries.push(self.entry(action, name, &event).detail("path", *secret));
            }
        }
        entries
    }

    fn entry(&self, action: &str, subject: &str, event: &str) -> Entry {
        let text = |it: &Option<String>| it.clone().unwrap_or_default();
        let who = self.user_identity.as_ref();
        let outcome = self.outcome();
        // The address of a service of AWS is its name.
        let address = self.source_ip_address.as_deref().and_then(|it| it.parse::<IpAddr>().ok());
        let actor = Actor {
            kind: ActorKind::External,
            name: who.map(Identity::name).unwrap_or_default(),
            via: None,
            address: address.map(|it| it.to_string()),
        };
        let time = self.event_time.as_ref().and_then(|it| it.parse::<jiff::Timestamp>().ok());
        Entry::new(actor, action, subject)
            .told_by(DEVICE, event)
            .outcome(outcome)
            .detail("error", self.error_code.as_deref().filter(|it| is_word(it)).unwrap_or_default())
            .detail("time_ms", time.map(|it| it.as_millisecond().to_string()).unwrap_or_default())
            .detail("region", text(&self.aws_region))
            .detail("account", text(&self.recipient_account_id))
            .detail(
                "aws_version",
                self.request_parameters.as_ref().map(|it| text(&it.version_id)).unwrap_or_default(),
            )
            .detail("arn", who.map(|it| text(&it.arn)).unwrap_or_default())
            .detail("role_name", who.and_then(Identity::role).unwrap_or_default())
            .detail("username", who.map(|it| text(&it.user_name)).unwrap_or_default())
            .detail("access_key", who.map(|it| text(&it.access_key_id)).unwrap_or_default())
            .detail("policies", if who.is_some_and(Identity::is_root) { "root" } else { "" })
    }

    fn outcome(&self) -> Outcome {
        let login = self.response_elements.as_ref().and_then(|it| it.console_login.as_deref());
        match self.error_code.as_deref().unwrap_or_default() {
            "" if login == Some("Failure") => Outcome::Denied,
            "" => Outcome::Allowed,
            code if code.contains("AccessDenied") || code.contains("Unauthorized") => Outcome::Denied,
            _ => Outcome::Failed,
        }
    }
}

impl Identity {
    /// Who, in the shortest words that tell them apart: a user's name, `role/session`, `root`, a service.
    fn name(&self) -> String {
        let arn = self.arn.as_deref().unwrap_or_default();
        let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
        match self.kind.as_deref().unwrap_or_default() {
            "Root" => "root".to_owned(),
            "AssumedRole" => resource.trim_start_matches("assumed-role/").to_owned(),
            "IAMUser" => {
                self.user_name.clone().unwrap_or_else(|| resource.trim_start_matches("user/").to_owned())
            }
            "AWSService" => self.invoked_by.clone().unwrap_or_default(),
            _ if !resource.is_empty() => resource.to_owned(),
            _ => self.principal_id.clone().unwrap_or_default(),
        }
    }

    fn role(&self) -> Option<String> {
        self.session_context.as_ref()?.session_issuer.as_ref()?.user_name.clone()
    }

    fn is_root(&self) -> bool {
        self.kind.as_deref() == Some("Root")
    }
}

/// Our secrets that this id, name or ARN means.
fn ours<'a>(secrets: &'a BTreeMap<String, SecretSpec>, asked: &str) -> Vec<&'a str> {
    let is_same = |id: &str| {
        id == asked || name_of(id) == name_of(asked) || name_of(id) == without_suffix(name_of(asked))
    };
    let ours = secrets.iter().filter(|(_, spec)| match &spec.source {
        SecretSource::AwsSecretsManager { id, .. } => {
            is_same(id) || without_suffix(name_of(id)) == name_of(asked) && id.starts_with("arn:")
        }
        _ => false,
    });
    ours.map(|(name, _)| name.as_str()).collect()
}

/// `prod/db-AbCdEf` of an ARN; anything else as it is.
fn name_of(id: &str) -> &str {
    if id.starts_with("arn:") { id.splitn(7, ':').nth(6).unwrap_or(id) } else { id }
}

/// Without the dash and six characters that AWS puts behind a name.
fn without_suffix(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((before, end)) if end.len() == 6 && end.bytes().all(|it| it.is_ascii_alphanumeric()) => before,
        _ => name,
    }
}

fn is_word(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 48
        && name.bytes().all(|it| it.is_ascii_alphanumeric())
        && name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
}

/// `GetSecretValue` is `get_secret_value`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && was_lower {
            snake.push('_');
        }
        was_lower = !c.is_ascii_uppercase();
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
#[path = "cloudtrail_tests.rs"]
mod tests;
