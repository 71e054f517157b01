//! What every handler shares.

use std::sync::Arc;
use std::time::Duration;

use ops_program::tokens::Tokens;
use ops_program::{Program, database, valkey};
use ops_tasks::Activator;
use redis::aio::ConnectionManager;
use sqlx::PgPool;
use tokio::sync::{Semaphore, mpsc};

use crate::Config;
use crate::store::outbox::Entry;
use crate::store::reads::Reads;

/// How many entries may wait in memory for the relay. What does not fit is found in the outbox a moment later.
const RELAYED_AT_ONCE: usize = 4096;

/// What every handler shares.
pub(crate) struct App {
    pub(crate) primary: PgPool,
    pub(crate) replica: Option<PgPool>,
    pub(crate) reads: Reads,
    pub(crate) valkey: ConnectionManager,
    pub(crate) queues: ops_bullmq::Client,
    pub(crate) access: Tokens,
    pub(crate) refresh: Tokens,
    /// One password check takes 19 MiB and many ms of a core: so many at once.
    pub(crate) password_checks: Arc<Semaphore>,
    pub(crate) pool_max: u32,
    outbox: mpsc::Sender<Entry>,
    pub(crate) relay: Activator,
}

impl App {
    /// Connects to nothing yet.
    pub(crate) fn new(
        config: &Config,
        program: &Program,
    ) -> anyhow::Result<(Arc<Self>, mpsc::Receiver<Entry>)> {
        let primary = database::pool(&config.primary, program.name)?;
        let replica =
            config.replica.as_ref().map(|replica| database::pool(replica, program.name)).transpose()?;
        let valkey = valkey::connection(&config.valkey)?;
        let (outbox, relayed) = mpsc::channel(RELAYED_AT_ONCE);
        let app = Self {
            reads: Reads::new(primary.clone(), replica.clone(), valkey.clone()),
            primary,
            replica,
            valkey,
            queues: config.queues()?,
            access: Tokens::new(&config.access_secret, config.access_lifetime)
                .also(config.previous_access_secret.as_ref()),
            refresh: Tokens::new(&config.refresh_secret, config.refresh_lifetime)
                .also(config.previous_refresh_secret.as_ref()),
            password_checks: Arc::new(Semaphore::new(2)),
            pool_max: config.primary.pool_max,
            outbox,
            relay: Activator::default(),
        };
        Ok((Arc::new(app), relayed))
    }

    /// Hands what was written to the outbox to the relay, without waiting for it.
    pub(crate) fn relay(&self, entry: Entry) {
        if self.outbox.try_send(entry).is_ok() {
            self.relay.activate();
        }
    }
}

/// How long somebody waits for a password check before being asked to come again.
pub(crate) const PASSWORD_QUEUE: Duration = Duration::from_secs(5);
