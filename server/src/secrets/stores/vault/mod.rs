//! OpenBao or Vault: its key-value store (version 2), and what it says of its own audit devices.
//!
//! No call takes longer than [`DEADLINE`], however often it has to log in meanwhile. What the store answers is never repeated in
//! an error: each status has words of ours.

mod call;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod tests;
mod token;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ops_contract::{Timestamp, VaultSpec};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;
use url::Url;

use super::{Facts, StoreError, Value};
use call::Answer;
use token::Login;

/// Longest time for one thing that is asked, logins included.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);
/// Longest answer, bytes.
pub(crate) const LONGEST_ANSWER: usize = 1 << 20;
/// So often is a write begun anew when others write to the same place.
const TRIES: usize = 4;

/// A connection to OpenBao or Vault.
#[derive(Debug)]
pub(crate) struct Vault {
    http: reqwest::Client,
    address: Url,
    namespace: Option<String>,
    login: Login,
}

/// Where a value is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// Where the key-value store is mounted: `secret`.
    pub(crate) mount: &'a str,
    /// Path under the mount: `api/jwt`.
    pub(crate) path: &'a str,
    /// Which field of it.
    pub(crate) field: &'a str,
}

/// What is known of all versions at a path, without reading any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// The newest version.
    pub(crate) current: Facts,
    /// When each version was made, by its number.
    pub(crate) versions: BTreeMap<u64, Timestamp>,
}

/// An audit device that is switched on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuditDevice {
    /// What it is called: `file`, without the slash at its end.
    pub(crate) name: String,
    /// What sort it is: `file`, `http`, `syslog`, `socket`.
    pub(crate) kind: String,
}

/// What lies at a path; the values stay in the answer's bytes, which are zeroed.
#[derive(Deserialize)]
struct Read<'a> {
    #[serde(borrow)]
    data: Option<BTreeMap<String, &'a RawValue>>,
    metadata: Version,
}

#[derive(Deserialize)]
struct Version {
    version: u64,
    created_time: jiff::Timestamp,
}

#[derive(Deserialize)]
struct Versions {
    current_version: u64,
    versions: BTreeMap<String, Created>,
}

#[derive(Deserialize)]
struct Created {
    created_time: jiff::Timestamp,
}

#[derive(Deserialize)]
struct Device {
    #[serde(rename = "type")]
    kind: String,
}

#[cfg(test)]
#[derive(Deserialize)]
struct Hash {
    hash: String,
}

impl Vault {
    /// What the store calls us, once it has let us in.
    pub(crate) async fn own_names(&self) -> Result<BTreeSet<String>, StoreError> {
        self.login.token(self).await?;
        Ok(self.login.names())
    }

    /// Prepares the connection; nothing is sent yet.
    pub(crate) fn new(spec: &VaultSpec) -> Result<Self, StoreError> {
        let address = Url::parse(&spec.address).ok().filter(|it| matches!(it.scheme(), "http" | "https"));
        let address = address.ok_or_else(|| {
            StoreError::Unsound("the address of the vault is no http:// or https:// URL".to_owned())
        })?;
        let http = reqwest::Client::builder()
            // A token is for one address.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(DEADLINE)
            .build()
            .map_err(|_| StoreError::Unreachable("could not make an HTTP client".to_owned()))?;
        Ok(Self { http, address, namespace: spec.namespace.clone(), login: Login::new(spec.auth.clone()) })
    }

    /// The value of a field, of the newest version or of `version`.
    pub(crate) async fn read(&self, place: Place<'_>, version: Option<u64>) -> Result<Value, StoreError> {
        self.in_time(async {
            let answer = self.data(place, version).await?;
            let read: Read<'_> = answer.data(&place.words())?;
            let field =
                read.data.as_ref().and_then(|it| it.get(place.field)).ok_or_else(|| place.no_field())?;
            Ok(Value { value: text(field), facts: read.metadata.facts() })
        })
        .await
    }

    /// Gives a field a new value. The other fields at the path stay as they are, also when somebody else writes at the same time.
    pub(crate) async fn write(&self, place: Place<'_>, value: &SecretString) -> Result<Facts, StoreError> {
        self.in_time(async {
            let mut first = None;
            for _ in 0..TRIES {
                let answer = self.send(Method::GET, &place.url("data"), None, None, &place.words()).await?;
                // Of a deleted version the status says that there is nothing, and the answer which version it was: a write that
                // looked for that elsewhere could miss what others wrote in between.
                let read: Option<Read<'_>> = if answer.status == 404 {
                    answer.data(&place.words()).ok()
                } else {
                    Some(answer.ok(&place.words())?.data(&place.words())?)
                };
                let was = read.as_ref().and_then(|it| it.data.as_ref()?.get(place.field)).map(|it| text(it));
                let begun = first.get_or_insert_with(|| was.clone());
                if begun.as_ref().map(ExposeSecret::expose_secret)
                    != was.as_ref().map(ExposeSecret::expose_secret)
                {
                    break;
                }
                let body = call::write_body(read.as_ref(), place.field, value);
                if let Some(answer) = self.put(place, body).await? {
                    return Ok(answer.data::<Version>(&place.words())?.facts());
                }
            }
            Err(StoreError::Refused(format!(
                "{} was written by somebody else at the same time: see who, then try again",
                place.words()
            )))
        })
        .await
    }

    /// What is known of the versions at a path. Reads no value.
    pub(crate) async fn metadata(&self, mount: &str, path: &str) -> Result<Metadata, StoreError> {
        let place = Place { mount, path, field: "" };
        self.in_time(async {
            let found: Versions = self
                .call(Method::GET, &place.url("metadata"), None, &place.words())
                .await?
                .data(&place.words())?;
            let mut versions = BTreeMap::new();
            for (number, version) in &found.versions {
                let number = number.parse().map_err(|_| call::no_sense(&place.words()))?;
                versions.insert(number, of(version.created_time));
            }
            let current = Facts {
                version: Some(found.current_version.to_string()),
                changed_at: versions.get(&found.current_version).copied(),
                pending_since: None,
            };
            Ok(Metadata { current, versions })
        })
        .await
    }

    /// The audit devices that are switched on.
    pub(crate) async fn sys_audit(&self) -> Result<Vec<AuditDevice>, StoreError> {
        const WORDS: &str = "vault sys/audit";
        self.in_time(async {
            let answer = self.call(Method::GET, &["sys", "audit"], None, WORDS).await?;
            let devices: BTreeMap<String, Device> = answer.data(WORDS)?;
            let name = |path: String| path.trim_end_matches('/').to_owned();
            Ok(devices
                .into_iter()
                .map(|(path, it)| AuditDevice { name: name(path), kind: it.kind })
                .collect())
        })
        .await
    }

    /// What stands in the entries of the audit device `device` in place of `value`.
    #[cfg(test)]
    pub(crate) async fn audit_hash(&self, device: &str, value: &SecretString) -> Result<String, StoreError> {
        let words = format!("vault sys/audit-hash/{device}");
        self.in_time(async {
            let body = call::object(&[("input", value.expose_secret())]);
            let answer = self.call(Method::POST, &["sys", "audit-hash", device], Some(body), &words).await?;
            Ok(answer.data::<Hash>(&words)?.hash)
        })
        .await
    }

    /// Keeps the token from ending, also while nothing is asked. Says in how long it is to be called again at the latest; `None`: the
    /// token never ends.
    pub(crate) async fn keep(&self) -> Result<Option<Duration>, StoreError> {
        self.in_time(async {
            self.login.token(self).await?;
            Ok(self.login.due_in().await)
        })
        .await
    }

    async fn data(&self, place: Place<'_>, version: Option<u64>) -> Result<Answer, StoreError> {
        let url = place.url("data");
        match version {
            None => self.call(Method::GET, &url, None, &place.words()).await,
            Some(version) => {
                let words = format!("{} version {version}", place.words());
                self.call_with(Method::GET, &url, Some(("version", version)), None, &words).await
            }
        }
    }

    /// Writes; `None` when another version is there than was said.
    async fn put(&self, place: Place<'_>, body: call::Body) -> Result<Option<Answer>, StoreError> {
        let answer = self.send(Method::POST, &place.url("data"), None, Some(&body), &place.words()).await?;
        if answer.status == 400 && answer.is_conflict() {
            return Ok(None);
        }
        answer.checked(&place.words()).map(Some)
    }

    async fn in_time<T>(&self, what: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        timeout(DEADLINE, what).await.unwrap_or_else(|_| Err(self.late()))
    }

    fn late(&self) -> StoreError {
        StoreError::Unreachable(format!(
            "the vault at {} did not answer within {} s",
            self.host(),
            DEADLINE.as_secs()
        ))
    }

    /// Where it is, without what may be secret in an address.
    fn host(&self) -> String {
        let host = self.address.host_str().unwrap_or_default();
        self.address.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

impl Place<'_> {
    fn words(&self) -> String {
        let mut words = format!("vault {}/{}", self.mount, self.path);
        if !self.field.is_empty() {
            words.push('#');
            words.push_str(self.field);
        }
        words
    }

    /// The parts of the address: the mount, `data` or `metadata`, the path.
    fn url<'a>(&'a self, what: &'a str) -> Vec<&'a str> {
        self.mount.split('/').chain([what]).chain(self.path.split('/')).collect()
    }

    fn no_field(&self) -> StoreError {
        StoreError::Missing(format!("vault {}/{} has no field {}", self.mount, self.path, self.field))
    }
}

impl Version {
    fn facts(&self) -> Facts {
        Facts {
            version: Some(self.version.to_string()),
            changed_at: Some(of(self.created_time)),
            pending_since: None,
        }
    }
}

/// A string as it is; anything else as JSON writes it.
fn text(field: &RawValue) -> SecretString {
    serde_json::from_str::<SecretString>(field.get()).unwrap_or_else(|_| SecretString::from(field.get()))
}

fn of(time: jiff::Timestamp) -> Timestamp {
    Timestamp(time.as_microsecond())
}
