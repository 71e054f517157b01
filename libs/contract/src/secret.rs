use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::stack::{optional_seconds, seconds};

/// A secret: what it is, where it comes from, who may have it and when it is renewed; never its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SecretSpec {
    /// Where the value is.
    pub source: SecretSource,
    /// What sort of secret it is.
    #[serde(default)]
    pub category: SecretCategory,
    /// How it is renewed.
    #[serde(default)]
    pub rotation: RotationMethod,
    /// Who answers for it: a person or a team.
    #[serde(default)]
    pub owner: Option<String>,
    /// 0: whoever has it has everything; 1: as usual; 2: little harm.
    #[serde(default = "usual_tier")]
    pub tier: u8,
    /// Longest time between two renewals; `None`: none is set.
    #[serde(default, rename = "max_age_s", with = "optional_seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<f64>))]
    pub max_age: Option<Duration>,
    /// Whether it is renewed when somebody leaves who has read it.
    #[serde(default)]
    pub on_departure: bool,
    /// For how long the value before is still good after a renewal, and until when each consumer must have read anew.
    #[serde(default = "usual_grace", rename = "grace_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub grace: Duration,
    /// Operators who may read the value, by name; admins may always. None of them for a secret of tier 0 with approval.
    #[serde(default)]
    pub readers: Vec<String>,
    /// Whether a person's read takes the word of a second admin.
    #[serde(default)]
    pub approval: bool,
    /// Who reads it besides the services of this stack: names as the store's audit device tells them.
    #[serde(default)]
    pub consumers: Vec<String>,
    /// A trap: nothing uses it, and any read of it is told at once.
    #[serde(default)]
    pub canary: bool,
}

const fn usual_tier() -> u8 {
    1
}

/// One day.
const fn usual_grace() -> Duration {
    Duration::from_secs(86_400)
}

impl SecretSpec {
    /// A secret of which only its place is known.
    #[must_use]
    pub const fn new(source: SecretSource) -> Self {
        Self {
            source,
            category: SecretCategory::Application,
            rotation: RotationMethod::Manual,
            owner: None,
            tier: usual_tier(),
            max_age: None,
            on_departure: false,
            grace: usual_grace(),
            readers: Vec::new(),
            approval: false,
            consumers: Vec::new(),
            canary: false,
        }
    }
}

/// Where a secret's value is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum SecretSource {
    /// An environment variable of the server, or a line of its `.env` file.
    Env {
        /// The variable.
        variable: String,
    },
    /// The server's encrypted file; made at random when it is first asked for. Development and test only.
    Generated,
    /// The server's encrypted file; put there with `insightdesk secrets set`.
    EncryptedFile,
    /// A key-value store (version 2) of OpenBao or Vault.
    Vault {
        /// Where it is mounted: `secret`.
        mount: String,
        /// Path under the mount: `api/jwt`.
        path: String,
        /// Which field of it.
        field: String,
    },
    /// AWS Secrets Manager.
    AwsSecretsManager {
        /// Name or ARN.
        id: String,
        /// Which field, when the value is a JSON object.
        field: Option<String>,
    },
}

/// What sort of secret it is: the seed's table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SecretCategory {
    /// What the programs make up among themselves: keys of tokens.
    #[default]
    Application,
    /// Passwords of data stores.
    Database,
    /// Keys that another company gave.
    ThirdParty,
    /// What data is encrypted with.
    EncryptionKey,
}

/// How a secret is renewed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum RotationMethod {
    /// By hand, by a list of steps; then `insightdesk secrets set`.
    #[default]
    Manual,
    /// A key of tokens: a random one, the one before verifies during the grace.
    Jwt {
        /// The secret's name with which programs are given the value before.
        previous: String,
    },
    /// A password of a PostgreSQL user: two users take turns.
    Postgres {
        /// The store, `main` of `[postgres.main]`.
        store: String,
        /// The two users; the one whose turn it is not gets the new password.
        users: [String; 2],
        /// The secret with the password of whoever may change theirs.
        admin_secret: Option<String>,
    },
}

/// How a secret stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SecretState {
    /// It is younger than its longest age, and all that have it read it since it was renewed.
    Ok,
    /// It is to be renewed within 14 days.
    DueSoon,
    /// It should have been renewed, by its age or because somebody left.
    Overdue,
    /// A renewal began and did not end.
    Stuck,
    /// It was renewed to the value that it had.
    SameValue,
    /// Somebody who uses it has not read it since it was renewed, and its grace is over.
    ConsumerStale,
    /// Nothing shows when it was renewed last. Never good.
    Unknown,
}

/// Somebody who uses a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SecretConsumer {
    /// A service of the stack, or a name as a store's audit device tells it.
    pub name: String,
    /// When it read the value last.
    pub read_at: Option<Timestamp>,
    /// Whether that was before the last renewal.
    pub is_stale: bool,
}

/// A secret of the inventory as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SecretView {
    /// Its name.
    pub name: String,
    /// What sort of secret it is.
    pub category: SecretCategory,
    /// Where it is, in words: `vault secret/api/jwt#key`.
    pub place: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// 0 is the most dangerous, 2 the least.
    pub tier: u8,
    /// How it stands.
    pub state: SecretState,
    /// Why, in one sentence.
    pub reason: String,
    /// When it was renewed last, as far as there is evidence.
    pub rotated_at: Option<Timestamp>,
    /// What shows that: `audit entry 17`, `version 4 in Vault`.
    pub evidence: Option<String>,
    /// When it is to be renewed.
    pub due_at: Option<Timestamp>,
    /// Longest time between two renewals, seconds.
    pub max_age_s: Option<u64>,
    /// Whether it is renewed when somebody leaves who has read it.
    pub on_departure: bool,
    /// Who uses it.
    pub consumers: Vec<SecretConsumer>,
    /// People who have read it since it was renewed last.
    pub read_by: Vec<String>,
    /// Whether a person's read takes the word of a second admin.
    pub approval: bool,
}

/// A person's wish to read a secret that takes a second admin's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SecretRequest {
    /// Its identity.
    pub id: String,
    /// Which secret.
    pub secret: String,
    /// Who asks.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it was asked.
    pub at: Timestamp,
    /// Until when it can be approved, and the value be read.
    pub until: Timestamp,
    /// The second admin, once there is one.
    pub approved_by: Option<String>,
}

/// The answer to a read that waits for a second admin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SecretReadWaits {
    /// The request; sent again with its id, the read is answered once it is approved.
    pub request: SecretRequest,
    /// Who can approve it; empty when there is no other admin.
    pub approvers: Vec<String>,
}

/// What the page `/secrets` shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SecretsView {
    /// When this was so.
    pub at: Timestamp,
    /// All secrets, the most urgent first.
    pub secrets: Vec<SecretView>,
    /// Reads that wait for a second admin.
    pub requests: Vec<SecretRequest>,
    /// What is to be renewed because somebody left.
    pub departures: Vec<Departure>,
}

/// Somebody left: what they could read is renewed, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Departure {
    /// Who.
    pub person: String,
    /// When they left.
    pub at: Timestamp,
    /// What is to be renewed, the most dangerous first.
    pub work: Vec<DepartureWork>,
}

/// One secret that a person who left could know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DepartureWork {
    /// Which secret.
    pub secret: String,
    /// 0 is the most dangerous, 2 the least.
    pub tier: u8,
    /// Why it is on the list: `read on 3 May (audit entry 812)`, `is its owner`.
    pub why: String,
    /// When it was renewed after they left, which closes it.
    pub closed_at: Option<Timestamp>,
}
