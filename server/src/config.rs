use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ops_contract::{AgentName, Operator, Stack};
use ops_telemetry::Metrics;
use secrecy::SecretString;

/// All that the server is told from outside.
#[derive(Debug)]
pub struct Config {
    /// What should run.
    pub stack: Stack,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where KEDA's external scaler listens.
    pub grpc: Grpc,
    /// The store: `sqlite://…` or `postgres://…`.
    pub database: String,
    /// Where series are kept; without it they are lost at the end.
    pub series_dir: Option<PathBuf>,
    /// Where keys lie that the store must not know; without it they are lost at the end.
    pub state_dir: Option<PathBuf>,
    /// How browsers reach the server, when not by the listen address.
    pub external_url: Option<String>,
    /// Operators that exist from the start, with their tokens.
    pub operators: Vec<(Operator, SecretString)>,
    /// Agents with their tokens.
    pub agents: Vec<(AgentName, SecretString)>,
    /// The variables that secrets of the stack are read from (`from = "env"`), by name.
    pub environment: BTreeMap<String, SecretString>,
    /// Reads them anew, so that a changed line of `.env` counts without a restart; without it they stay as they are.
    pub reread: Option<Reread>,
    /// Secrets that the server itself needs, by name: tokens of other metric stores.
    pub secrets: BTreeMap<String, SecretString>,
    /// What the `.env` file says, by name: the Alertmanager file may name it; the environment counts first.
    pub variables: BTreeMap<String, SecretString>,
    /// Where the server's own metrics go.
    pub metrics: Metrics,
}

/// Reads the variables of [`Config::environment`] anew.
#[derive(Clone)]
pub struct Reread(Arc<Read>);

type Read = dyn Fn() -> anyhow::Result<BTreeMap<String, SecretString>> + Send + Sync;

impl Reread {
    /// Has `read` called each time that one of them is needed.
    pub fn new(
        read: impl Fn() -> anyhow::Result<BTreeMap<String, SecretString>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(read))
    }

    pub(crate) fn read(&self) -> anyhow::Result<BTreeMap<String, SecretString>> {
        (self.0)()
    }
}

impl fmt::Debug for Reread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reread")
    }
}

/// Where gRPC is served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grpc {
    /// Nowhere.
    #[default]
    Off,
    /// There, or the server does not start.
    At(SocketAddr),
    /// There, unless another program has it: nobody asked for it.
    IfFree(SocketAddr),
}
