use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ops_contract::{DependencyReport, ServiceName, ServiceSpec, Stack};
use ops_tasks::{Backoff, ServiceHandle, Supervisor};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::balancer::Balancer;
use crate::control::Control;
use crate::environment::Environment;
use crate::fleet::Fleet;
use crate::meaning::OomWatch;
use crate::outbox::Outbox;
use crate::paths::Paths;
use crate::samples::Samples;
use crate::secrets::Secrets;
use crate::session::Results;
use crate::{Config, files, probes};

/// Everything that the parts of an agent share.
pub(crate) struct Agent {
    pub(crate) paths: Paths,
    pub(crate) shim: PathBuf,
    pub(crate) environment: Environment,
    pub(crate) secrets: Secrets,
    pub(crate) fleet: Fleet,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) samples: Samples,
    pub(crate) results: Results,
    pub(crate) balancer: Balancer,
    pub(crate) control: Control,
    pub(crate) oom: OomWatch,
    /// Asks replicas how they do.
    pub(crate) http: reqwest::Client,
    pub(crate) supervisor: Supervisor,
    pub(crate) shutdown: CancellationToken,
    /// Actions that are being carried out.
    pub(crate) in_flight: Mutex<BTreeSet<String>>,
    /// What each data store looked like last.
    pub(crate) dependencies: Mutex<BTreeMap<String, DependencyReport>>,
    /// What should run, as the server said last; `None` before it ever did.
    pub(crate) stack: watch::Sender<Option<Arc<Stack>>>,
    /// Whether the stack is being stopped, as the server said last.
    pub(crate) stopping: watch::Sender<bool>,
    spawned: AtomicU64,
    probes: Mutex<probes::Handles>,
}

impl Agent {
    pub(crate) fn new(config: Config, shutdown: CancellationToken) -> anyhow::Result<Arc<Self>> {
        let paths = Paths::new(config.state_dir);
        let outbox = Arc::new(Outbox::default());
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Arc::new(Self {
            shim: config.shim,
            environment: Environment::read(),
            secrets: Secrets::default(),
            fleet: Fleet::new(Arc::clone(&outbox)),
            outbox,
            samples: Samples::default(),
            results: Results::default(),
            balancer: Balancer::new(paths.upstreams()),
            oom: OomWatch::new(),
            control: Control::new(&config.server_url, config.token)?,
            http,
            supervisor: Supervisor::new(shutdown.clone()),
            shutdown,
            in_flight: Mutex::default(),
            dependencies: Mutex::default(),
            stack: watch::Sender::new(None),
            stopping: watch::Sender::new(false),
            spawned: AtomicU64::default(),
            probes: Mutex::default(),
            paths,
        }))
    }

    /// Runs `work` beside everything else, again when it fails, until it has succeeded once.
    pub(crate) fn spawn<F, R>(self: &Arc<Self>, name: &str, work: F) -> ServiceHandle
    where
        F: Fn(Arc<Self>, CancellationToken) -> R + Send + 'static,
        R: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        // Names are unique among what runs, and the same thing may be about to end while it begins anew.
        let number = self.spawned.fetch_add(1, Ordering::Relaxed);
        let agent = Arc::clone(self);
        self.supervisor.spawn_service(format!("{name} #{number}"), Backoff::default(), move |stop| {
            let run = work(Arc::clone(&agent), stop.clone());
            async move {
                run.await?;
                // What is done is forgotten, not shown as ended for ever.
                stop.cancel();
                Ok(())
            }
        })
    }

    /// How a service is run, if the stack has it.
    pub(crate) fn spec(&self, service: &ServiceName) -> Option<ServiceSpec> {
        self.stack.borrow().as_ref()?.services.get(service).cloned()
    }

    /// Takes up the stack that was last in use, for the time until the server is heard.
    pub(crate) fn use_last_stack(self: &Arc<Self>) {
        if let Some(stack) = files::read_json::<Stack>(&self.paths.stack()) {
            self.set_stack(stack);
        }
    }

    /// Takes up the stack as the server tells it now.
    pub(crate) fn use_stack(self: &Arc<Self>, stack: Stack) {
        if self.stack.borrow().as_deref() == Some(&stack) {
            return;
        }
        if let Err(error) = files::write_json(&self.paths.stack(), &stack) {
            warn!(%error, "cannot keep the stack for the next start");
        }
        info!(stack = stack.name, services = stack.services.len(), "stack taken up");
        self.set_stack(stack);
    }

    fn set_stack(self: &Arc<Self>, stack: Stack) {
        self.stack.send_replace(Some(Arc::new(stack)));
        let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        self.dependencies.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *probes = probes::restart(self, &probes);
        drop(probes);
        self.balance();
    }

    /// Puts all that is known into the outbox.
    pub(crate) fn tell_everything(&self) {
        self.outbox.inventory(self.fleet.reports());
        for report in self.dependencies.lock().unwrap_or_else(PoisonError::into_inner).values() {
            self.outbox.dependency(report.clone());
        }
    }

    /// Sends requests to the replicas that serve now, and to no others.
    pub(crate) fn balance(&self) {
        let stack = self.stack.borrow().clone();
        if let Some(stack) = stack {
            self.balancer.apply(&stack, &self.fleet);
        }
    }
}
