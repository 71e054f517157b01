//! Which process it is: a pid alone may belong to another program tomorrow.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

/// One process, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Process id.
    pub(crate) pid: u32,
    /// When it started, in the words of the operating system.
    pub(crate) start: String,
    /// Since which start of the machine.
    pub(crate) boot_id: String,
}

impl Identity {
    /// This process.
    pub(crate) fn own() -> Self {
        let pid = std::process::id();
        Self { pid, start: start_of(pid).unwrap_or_default(), boot_id: boot_id() }
    }

    /// The process that has this pid now, if any.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        Some(Self { pid, start: start_of(pid)?, boot_id: boot_id() })
    }

    /// Whether it still runs; a zombie does not.
    pub(crate) fn is_alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Sends a signal, if it still runs.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.is_alive()
            && let Some(pid) = raw(self.pid)
        {
            let _ = kill_process(pid, signal);
        }
    }

    /// Waits for its end. It may be nobody's child, and looking costs next to nothing.
    pub(crate) async fn ended(&self) {
        while self.is_alive() {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Waits for its end, but not for ever; whether it ended.
    pub(crate) async fn ended_within(&self, patience: Duration) -> bool {
        tokio::time::timeout(patience, self.ended()).await.is_ok()
    }
}

fn raw(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

#[cfg(target_os = "linux")]
fn start_of(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold blanks and brackets; fields are counted from behind it.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    (!matches!(state, "Z" | "X")).then(|| fields.nth(18).map(str::to_owned)).flatten()
}

#[cfg(target_os = "linux")]
fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(not(target_os = "linux"))]
fn start_of(pid: u32) -> Option<String> {
    raw(pid).filter(|pid| rustix::process::test_kill_process(*pid).is_ok())?;
    let output = std::process::Command::new("ps")
        .args(["-o", "stat=,lstart=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let (state, start) = text.split_once(' ')?;
    (!state.starts_with('Z')).then(|| start.trim().to_owned())
}

#[cfg(not(target_os = "linux"))]
fn boot_id() -> String {
    let output = std::process::Command::new("sysctl").args(["-n", "kern.boottime"]).output();
    output.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_is_itself_until_it_ends() {
        assert!(Identity::own().is_alive());
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let identity = Identity::of(child.id()).unwrap();
        assert!(identity.is_alive());
        let other = Identity { start: "1".to_owned(), ..identity.clone() };
        assert!(!other.is_alive(), "another start is another process");
        identity.signal(Signal::KILL);
        assert!(identity.ended_within(Duration::from_secs(10)).await, "a zombie has ended");
        child.wait().unwrap();
    }
}
