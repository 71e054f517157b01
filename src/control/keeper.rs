//! Keeps the server and the agent running: adopts the one that runs, starts one that does not, at once when it dies.
//!
//! They are children in sessions of their own, so that they outlive a killed `up`; their locks decide who runs.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use ops_tasks::{Backoff, ServiceHandle, Supervisor};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Identity, UpFile, holder, tail};
use crate::output;
use crate::place::Place;

/// Restarting cannot help after these: used wrongly, bad environment.
const HOPELESS: [i32; 2] = [2, 78];

/// A control log beyond this is put aside, and only the one before is kept.
const LOG_BYTES: u64 = 32 << 20;

/// What is known of a kept process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// The process, while it runs.
    pub(crate) process: Option<Identity>,
    /// How often it has ended.
    pub(crate) ends: u32,
    /// Why it is not started again.
    pub(crate) gave_up: Option<String>,
}

/// One kept process.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    place: Place,
    kept: watch::Sender<Kept>,
}

/// Both of them.
pub(crate) struct Keepers {
    supervisor: Supervisor,
    url: String,
    place: Place,
    /// The server.
    pub(crate) server: Keeper,
    /// The agent.
    pub(crate) agent: Keeper,
    handles: Vec<ServiceHandle>,
}

impl Keepers {
    /// Makes them; [`Self::keep_server`] and [`Self::keep_agent`] start them.
    pub(crate) fn new(program: &Path, place: &Place, url: &str) -> Self {
        let agent = vec!["--url".to_owned(), url.to_owned()];
        Self {
            supervisor: Supervisor::new(CancellationToken::new()),
            url: url.to_owned(),
            place: place.clone(),
            server: Keeper::new("server", program, place, Vec::new()),
            agent: Keeper::new("agent", program, place, agent),
            handles: Vec::new(),
        }
    }

    /// Keeps the server running from now on.
    pub(crate) fn keep_server(&mut self) {
        self.keep(self.server.clone());
        self.tell();
    }

    /// Keeps the agent running from now on.
    pub(crate) fn keep_agent(&mut self) {
        self.keep(self.agent.clone());
    }

    /// Stops keeping them; they run on.
    pub(crate) async fn let_go(&mut self) {
        let _ = self.supervisor.shut_down(Duration::from_secs(2)).await;
        self.handles.clear();
    }

    fn keep(&mut self, keeper: Keeper) {
        let name = keeper.name;
        let backoff = Backoff { first: Duration::from_millis(50), max: Duration::from_secs(10) };
        let handle = self.supervisor.spawn_service(name, backoff, move |stop| {
            let keeper = keeper.clone();
            async move { keeper.run(stop).await }
        });
        self.handles.push(handle);
    }

    /// Writes `up.json` again whenever one of them changes.
    fn tell(&mut self) {
        let (server, agent) = (self.server.kept.clone(), self.agent.kept.clone());
        let (place, url) = (self.place.clone(), self.url.clone());
        let handle = self.supervisor.spawn_service("up_file", Backoff::default(), move |stop| {
            let (mut server, mut agent) = (server.subscribe(), agent.subscribe());
            let (place, url) = (place.clone(), url.clone());
            async move {
                loop {
                    let pid = |kept: &Kept| kept.process.as_ref().map(|it| it.pid);
                    let (server_pid, agent_pid) =
                        (pid(&server.borrow_and_update()), pid(&agent.borrow_and_update()));
                    UpFile { server: server_pid, agent: agent_pid, url: url.clone() }.write(&place)?;
                    tokio::select! {
                        () = stop.cancelled() => return Ok(()),
                        _ = server.changed() => {}
                        _ = agent.changed() => {}
                    }
                }
            }
        });
        self.handles.push(handle);
    }
}

impl Keeper {
    fn new(name: &'static str, program: &Path, place: &Place, more: Vec<String>) -> Self {
        let mut arguments = vec![name.to_owned(), "--own-session".to_owned()];
        arguments.extend(["--stack".to_owned(), place.stack_file.to_string_lossy().into_owned()]);
        arguments.extend(["--state-dir".to_owned(), place.state.to_string_lossy().into_owned()]);
        arguments.extend(more);
        let kept = watch::Sender::new(Kept::default());
        Self { name, program: program.to_owned(), arguments, place: place.clone(), kept }
    }

    /// What is known of it now.
    pub(crate) fn kept(&self) -> Kept {
        self.kept.borrow().clone()
    }

    /// Waits until it is not started again any more; says why.
    pub(crate) async fn gave_up(&self) -> String {
        let mut kept = self.kept.subscribe();
        match kept.wait_for(|it| it.gave_up.is_some()).await {
            Ok(kept) => kept.gave_up.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }

    /// Runs one life of the process; an error says how it ended.
    async fn run(&self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut child = None;
        let process = match holder(&self.place.lock(self.name)) {
            Some(holder) => holder.process,
            None => {
                let started = self.start()?;
                let process =
                    Identity::of(started.id()).with_context(|| format!("{} ended at once", self.name))?;
                child = Some(started);
                process
            }
        };
        self.kept.send_modify(|kept| kept.process = Some(process.clone()));
        if stop.run_until_cancelled(process.ended()).await.is_none() {
            return Ok(());
        }
        let status = child.as_mut().and_then(|it| it.wait().ok());
        self.kept.send_modify(|kept| {
            kept.process = None;
            kept.ends += 1;
        });
        let how = status.map_or_else(|| "ended".to_owned(), |it| format!("ended ({it})"));
        if let Some(code) = status.and_then(|it| it.code())
            && HOPELESS.contains(&code)
        {
            let log = tail(&self.place.control_log(self.name), 30);
            self.kept.send_modify(|kept| kept.gave_up = Some(format!("the {} {how}:\n{log}", self.name)));
            return Ok(());
        }
        output::note(&format!("the {} (pid {}) {how}: starting it again", self.name, process.pid));
        bail!("{} {how}", self.name)
    }

    fn start(&self) -> anyhow::Result<Child> {
        let log = open_log(&self.place.control_log(self.name))?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(&self.place.base);
        // Each reads its own token from its file; these would only reach programs that need not have them.
        command.env_remove("INSIGHTDESK_TOKEN").env_remove("INSIGHTDESK_URL");
        // Few threads: a heap for each costs more memory than it saves time.
        command.env("MALLOC_ARENA_MAX", "2");
        // What hashing a token took goes back at once, instead of staying resident for good.
        command.env("MALLOC_MMAP_THRESHOLD_", "131072").env("MALLOC_TRIM_THRESHOLD_", "131072");
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        command.spawn().with_context(|| format!("could not start {}", self.program.display()))
    }
}

/// Opens a control log for more lines; a long one is put aside first.
pub(crate) fn open_log(path: &Path) -> anyhow::Result<File> {
    if path.metadata().is_ok_and(|it| it.len() > LOG_BYTES) {
        let _ = std::fs::rename(path, path.with_extension("log.1"));
    }
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.with_context(|| format!("could not open {}", path.display()))
}
