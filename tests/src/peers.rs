//! Where `./x test` puts the peers that come from Python's registry, and how they are started and stopped.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

/// The program that `variable` names, else `name` among the peers.
pub(crate) fn find(variable: &str, name: &str) -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os(variable) {
        return Ok(named.into());
    }
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    let program = cache.map(|it| it.join("insightdesk/peers/programs").join(name)).filter(|it| it.exists());
    program.with_context(|| format!("there is no {name}: `./x peers` installs it, or name one in {variable}"))
}

/// A peer that runs. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Peer(Child);

impl Peer {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let program = PathBuf::from(command.get_program());
        let output = || {
            if std::env::var_os("INSIGHTDESK_TEST_LOGS").is_some() { Stdio::inherit() } else { Stdio::null() }
        };
        let child = command.stdin(Stdio::null()).stdout(output()).stderr(output()).spawn();
        Ok(Self(child.with_context(|| format!("could not start {}", program.display()))?))
    }

    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.0.id())?).context("a process without an id")?;
        Ok(kill_process(pid, signal)?)
    }

    pub(crate) fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.end();
    }
}
