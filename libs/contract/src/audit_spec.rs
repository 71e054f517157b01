use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::stack::seconds;

/// `[secret_stores]`: where secrets lie, and how the server gets in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct SecretStoresSpec {
    /// The key of the server's encrypted file.
    pub encrypted_file: EncryptedFileKey,
    /// OpenBao or Vault.
    pub vault: Option<VaultSpec>,
    /// AWS Secrets Manager and the key management service.
    pub aws: AwsSpec,
}

/// What the data keys of the encrypted file are wrapped with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "key", rename_all = "snake_case")]
pub enum EncryptedFileKey {
    /// A file with 32 random bytes; made when it is missing, but in staging and production.
    File {
        /// Absolute; `None`: `secrets.key` in the state folder.
        path: Option<String>,
    },
    /// The kernel's or the desktop's keyring of the server's user.
    Keyring,
    /// A key of AWS KMS, which never leaves it.
    AwsKms {
        /// Id, ARN or alias.
        id: String,
    },
}

impl Default for EncryptedFileKey {
    fn default() -> Self {
        Self::File { path: None }
    }
}

/// `[secret_stores.vault]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VaultSpec {
    /// `https://bao.internal:8200`.
    pub address: String,
    /// Namespace, if it has them.
    pub namespace: Option<String>,
    /// How the server gets in.
    pub auth: VaultAuth,
}

/// How the server gets into OpenBao or Vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum VaultAuth {
    /// With a token that lies in a file.
    Token {
        /// Absolute.
        file: String,
    },
    /// As an application role.
    AppRole {
        /// Its id, no secret.
        role_id: String,
        /// File with its secret id, absolute.
        secret_id_file: String,
        /// Where the method is mounted.
        mount: String,
    },
    /// As the pod's service account.
    Kubernetes {
        /// The role.
        role: String,
        /// File with the account's token, absolute.
        token_file: String,
        /// Where the method is mounted.
        mount: String,
    },
}

/// `[secret_stores.aws]`. Credentials are found as every AWS program finds them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AwsSpec {
    /// `None`: as the environment says.
    pub region: Option<String>,
    /// Another address than AWS's own.
    pub endpoint_url: Option<String>,
}

/// `[audit]`: how the audit log is kept and what counts as unusual.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AuditSpec {
    /// File with the key that signs, absolute; `None`: `audit.key` in the state folder.
    pub key_file: Option<String>,
    /// At the latest after so long a signature covers all entries, also when nothing happened.
    #[serde(rename = "seal_every_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub seal_every: Duration,
    /// Places outside that are given the newest signature.
    pub anchors: Vec<AnchorSpec>,
    /// Pause between two of them.
    #[serde(rename = "anchor_every_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub anchor_every: Duration,
    /// For how long what entries say is kept; the proof of them stays. `None`: for ever.
    #[serde(rename = "retention_s", with = "crate::stack::optional_seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<f64>))]
    pub retention: Option<Duration>,
    /// Audit devices of other systems, by name.
    pub sources: BTreeMap<String, AuditSourceSpec>,
    /// What counts as unusual.
    pub findings: FindingsSpec,
}

impl Default for AuditSpec {
    fn default() -> Self {
        Self {
            key_file: None,
            seal_every: Duration::from_secs(60),
            anchors: Vec::new(),
            anchor_every: Duration::from_secs(300),
            retention: None,
            sources: BTreeMap::new(),
            findings: FindingsSpec::default(),
        }
    }
}

/// A place outside that is given signed states of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AnchorSpec {
    /// A file, one JSON line each; best on another host's disk.
    File {
        /// Absolute.
        path: String,
    },
    /// A bucket with Object Lock: nobody can delete or replace what lies there before its time.
    S3 {
        /// Its name.
        bucket: String,
        /// What keys begin with.
        prefix: String,
        /// For how many days each is locked.
        retain_days: u32,
    },
    /// An address that is posted to.
    Webhook {
        /// Where.
        url: String,
    },
}

impl AnchorSpec {
    /// The place in words, as it stands beside an anchor. An address without what may be secret in it.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::File { path } => format!("file://{path}"),
            Self::S3 { bucket, prefix, .. } => format!("s3://{bucket}/{prefix}"),
            Self::Webhook { url } => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
                let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
                let host = host.rsplit('@').next().unwrap_or_default();
                format!("{scheme}://{host}")
            }
        }
    }
}

/// `[audit.sources.NAME]`: an audit device of another system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AuditSourceSpec {
    /// OpenBao posts each entry to `/audit/devices/NAME`.
    VaultHttp {
        /// The secret with the bearer token that it sends.
        token_secret: String,
    },
    /// A file device of OpenBao or Vault that the server can read.
    VaultFile {
        /// Absolute.
        path: String,
    },
}

/// `[audit.findings]`: the figures of the rules R1 to R11. The defaults and their sources stand in the reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct FindingsSpec {
    /// Rules that are off: `R5`.
    pub off: BTreeSet<String>,
    /// So long after its first access a principal's habits are being learnt.
    #[serde(rename = "learning_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub learning: Duration,
    /// How long habits are remembered.
    #[serde(rename = "memory_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub memory: Duration,
    /// R3: at least so many different secrets in ten minutes.
    pub spread: u32,
    /// R4: at least so many reads in five minutes.
    pub volume: u32,
    /// R4: at least so many standard deviations above what is usual at that hour of the week.
    pub volume_deviations: f64,
    /// R5: the hours in which people work, UTC, `[from, to)`; `None`: their own habits alone count.
    pub hours: Option<[u8; 2]>,
    /// R6: so many refusals in five minutes.
    pub denied: u32,
    /// R6: so many different secrets refused in five minutes.
    pub denied_secrets: u32,
    /// R2: networks from which services may read, as `10.0.0.0/8`; empty: from everywhere that they did before.
    pub service_networks: Vec<String>,
    /// R10: a device that says nothing for so long is silent, or five times its usual pause if that is more.
    #[serde(rename = "silence_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub silence: Duration,
}

impl Default for FindingsSpec {
    fn default() -> Self {
        const DAY: u64 = 86_400;
        Self {
            off: BTreeSet::new(),
            learning: Duration::from_secs(14 * DAY),
            memory: Duration::from_secs(30 * DAY),
            spread: 7,
            volume: 20,
            volume_deviations: 6.0,
            hours: None,
            denied: 5,
            denied_secrets: 3,
            service_networks: Vec::new(),
            silence: Duration::from_secs(300),
        }
    }
}
