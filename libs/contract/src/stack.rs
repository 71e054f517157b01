use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{AlertsSpec, AuditSpec, ScrapeSpec, SecretSpec, SecretStoresSpec, ServiceName, TelemetrySpec};

/// What should run, read from the stack file `insightdesk.toml` by `ops-stack`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Stack {
    /// Name of the stack.
    pub name: String,
    /// Which of the four environments this is.
    pub environment: Environment,
    /// Every service, the development data services included.
    pub services: BTreeMap<ServiceName, ServiceSpec>,
    /// PostgreSQL clusters that are watched.
    pub postgres: BTreeMap<String, PostgresSpec>,
    /// Valkey (or Redis) instances that are watched.
    pub valkey: BTreeMap<String, ValkeySpec>,
    /// Secrets by name; never their values.
    pub secrets: BTreeMap<String, SecretSpec>,
    /// Where they lie.
    #[serde(default)]
    pub secret_stores: SecretStoresSpec,
    /// How the audit log is kept.
    #[serde(default)]
    pub audit: AuditSpec,
    /// Which rules are evaluated.
    #[serde(default)]
    pub alerts: AlertsSpec,
    /// How series are kept.
    #[serde(default)]
    pub telemetry: TelemetrySpec,
    /// What answers with metrics besides the services, which are found by themselves.
    #[serde(default)]
    pub scrape: Vec<ScrapeSpec>,
}

/// The seed's four environment types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// A laptop.
    #[default]
    Development,
    /// Automated tests.
    Test,
    /// Before production.
    Staging,
    /// The live system.
    Production,
}

/// One service and how it is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServiceSpec {
    /// What the service is to its users; ranks it on the first page.
    pub role: ServiceRole,
    /// What is run.
    pub program: Program,
    /// What runs it.
    pub driver: Driver,
    /// A fixed port (one replica only). `None`: each replica is handed a free one in `PORT`.
    pub port: Option<u16>,
    /// How many replicas.
    pub replicas: ReplicaBounds,
    /// How its health is asked for. `None`: running means ready.
    pub health: Option<Health>,
    /// A read path that shows more than `/health` does.
    pub deep_check: Option<DeepCheck>,
    /// What happens after an exit.
    pub restart: RestartPolicy,
    /// How it is stopped.
    pub stop: StopPolicy,
    /// Services and data stores (`postgres.main`, `valkey.main`, `api`) that must be up before it is started.
    pub depends_on: Vec<String>,
    /// Its environment. `${postgres.main.url}` and the like are already put in, but `${secret.NAME}` stays until start.
    pub env: BTreeMap<String, String>,
    /// Secrets that it is given, as environment variables of the same name.
    pub secrets: Vec<String>,
    /// What its number of replicas follows. `None`: the fewest, unless an operator sets another.
    #[serde(default)]
    pub scale: Option<ScaleSpec>,
    /// Path prefix under which the development balancer sends requests here, such as `/` or `/socket.io/`.
    pub route: Option<String>,
    /// Path of its metrics on its port; `None`: they are not asked for.
    #[serde(default)]
    pub metrics: Option<String>,
}

/// What a service is to its users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ServiceRole {
    /// Users talk to it.
    Frontend,
    /// It works behind the scenes.
    Background,
    /// A data store or balancer that the stack itself runs (development).
    Infrastructure,
}

/// What is run for each replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Program {
    /// Program and arguments; the program is an absolute path or looked up in `PATH`.
    pub command: Vec<String>,
    /// Working directory, absolute.
    pub directory: String,
}

/// What starts and stops the replicas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Driver {
    /// Processes of this machine, each under a shim.
    #[default]
    Process,
    /// Says what it would do.
    DryRun,
}

/// Fewest and most replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplicaBounds {
    /// Fewest; also what is started first.
    pub min: u16,
    /// Most.
    pub max: u16,
}

/// How a replica's health is asked for.
///
/// The same answers tell three things apart. *Startup*: the first good answer. *Readiness*: the last answer was good;
/// a bad status takes the replica out of the balancer and nothing more. *Liveness*: stricter, only `retries` time-outs
/// or refusals in a row; then it is restarted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Health {
    /// Path of the readiness answer; 2xx is good.
    pub path: String,
    /// Path of the liveness answer, when it is another.
    pub live_path: Option<String>,
    /// Pause between two questions (the seed: 15 s).
    #[serde(rename = "interval_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub interval: Duration,
    /// Longest wait for an answer (the seed: 2 s).
    #[serde(rename = "timeout_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub timeout: Duration,
    /// Failures in a row that count (the seed: 3).
    pub retries: u16,
    /// How long a new replica may fail without it counting (the seed: 5 s).
    #[serde(rename = "start_period_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub start_period: Duration,
    /// Longest time from start to the first good answer; then the start has failed.
    #[serde(rename = "start_timeout_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub start_timeout: Duration,
}

/// A read path that exercises what the service stands on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeepCheck {
    /// Path; any answer under 500 is good.
    pub path: String,
    /// Pause between two questions.
    #[serde(rename = "interval_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub interval: Duration,
}

/// What happens after an exit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RestartPolicy {
    /// Which exits are followed by a restart.
    pub mode: RestartMode,
    /// Failures within `window` that end in *gave up* (the seed: 3).
    pub max: u16,
    /// The window.
    #[serde(rename = "window_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub window: Duration,
    /// First delay; doubles with each failure in the window.
    #[serde(rename = "backoff_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub backoff: Duration,
    /// Longest delay.
    #[serde(rename = "backoff_max_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub backoff_max: Duration,
    /// Exit codes after which a restart cannot help, such as 78 (bad configuration).
    pub never_on: Vec<i32>,
}

/// Which exits are followed by a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RestartMode {
    /// A signal or a non-zero code.
    #[default]
    OnFailure,
    /// Every exit that was not asked for.
    Always,
    /// None.
    Never,
}

/// How a replica is stopped: out of the balancer, SIGTERM, `grace`, SIGKILL to the process group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StopPolicy {
    /// Longest time from SIGTERM to SIGKILL.
    #[serde(rename = "grace_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub grace: Duration,
    /// The first signal: `TERM`, `INT` or `QUIT`.
    pub signal: String,
}

/// What a service's number of replicas follows. Whatever asks for most replicas wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ScaleSpec {
    /// Queues that it works on, as `queue` or `valkey.NAME/queue`.
    pub queues: Vec<String>,
    /// 95 of 100 jobs should wait at most this long (the product: 5 s).
    #[serde(rename = "target_wait_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub target_wait: Duration,
    /// Jobs of a queue that one replica works on at once, by queue; where absent it is measured.
    pub concurrency: BTreeMap<String, u32>,
    /// Most jobs that should wait in all its queues together; beyond it a replica is added.
    pub max_waiting: Option<u64>,
    /// How busy a replica should be: share of one core (the product: 0.7).
    pub cpu: Option<f64>,
    /// Most connections of one replica (the product: 10,000 sockets).
    pub connections: Option<u64>,
    /// Longest time that a replica which is no longer needed may take to end its running jobs.
    #[serde(rename = "drain_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub drain: Duration,
    /// Time from asking for a replica to its first job, until it has been measured.
    #[serde(rename = "start_delay_s", with = "seconds")]
    #[cfg_attr(feature = "schema", schema(value_type = f64))]
    pub start_delay: Duration,
}

/// Where BullMQ keeps its queues in a Valkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QueueSpec {
    /// Number of the database.
    pub database: u16,
    /// Prefix of the keys; BullMQ's own is `bull`.
    pub prefix: String,
}

/// What a dependency is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DependencyKind {
    /// A PostgreSQL server.
    Postgres,
    /// A Valkey or Redis server.
    Valkey,
}

/// A PostgreSQL cluster that is watched. Addresses hold no password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PostgresSpec {
    /// `host:port` of the primary.
    pub primary: String,
    /// `host:port` of each read replica.
    pub replicas: Vec<String>,
    /// Database name.
    pub database: String,
    /// User name.
    pub user: String,
    /// Name of the secret that holds the password, if any.
    pub password_secret: Option<String>,
    /// Whether the stack runs this cluster itself, in the state folder.
    pub development: bool,
}

/// A Valkey or Redis instance that is watched. The address holds no password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ValkeySpec {
    /// `host:port`.
    pub address: String,
    /// Name of the secret that holds the password, if any.
    pub password_secret: Option<String>,
    /// Whether the stack runs it itself, in the state folder.
    pub development: bool,
    /// Its BullMQ queues, if they are watched.
    #[serde(default)]
    pub queues: Option<QueueSpec>,
}

/// Durations as seconds with fraction on the wire.
pub(crate) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(duration.as_secs_f64())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The same for durations that may be missing.
pub(crate) mod optional_seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration.map(|it| it.as_secs_f64()).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let seconds = Option::<f64>::deserialize(deserializer)?;
        seconds.map(|it| Duration::try_from_secs_f64(it).map_err(D::Error::custom)).transpose()
    }
}
