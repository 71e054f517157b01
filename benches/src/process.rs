//! A peer's processes, and what they cost as the kernel counts it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::process::{Child, Command};

/// The processes of one peer; they are killed when this is dropped.
#[derive(Debug, Default)]
pub struct Processes(Vec<Child>);

impl Processes {
    /// Starts one more; its output goes to `log`.
    pub fn start(&mut self, command: &mut Command, log: &Path) -> anyhow::Result<()> {
        let open = || std::fs::File::options().create(true).append(true).open(log);
        let child = command
            .stdin(Stdio::null())
            .stdout(open()?)
            .stderr(open()?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", command.as_std().get_program().display()))?;
        self.0.push(child);
        Ok(())
    }

    /// Asks all to end, the last one started first, and waits until they have.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        while let Some(mut child) = self.0.pop() {
            let Some(pid) = child.id().and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed()))
            else {
                continue;
            };
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
            if tokio::time::timeout(Duration::from_secs(60), child.wait()).await.is_err() {
                child.kill().await?;
            }
        }
        Ok(())
    }

    /// One of them has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.0.iter_mut().any(|it| !matches!(it.try_wait(), Ok(None)))
    }

    /// Cost of all of them so far.
    pub fn cost(&self) -> anyhow::Result<Cost> {
        let mut cost = Cost::default();
        for pid in self.0.iter().filter_map(Child::id) {
            cost.cpu_s += cpu_seconds(pid)?;
            let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
            cost.resident_bytes += kibibytes(&status, "VmRSS:")? * 1_024;
            cost.anonymous_bytes += kibibytes(&status, "RssAnon:")? * 1_024;
            cost.peak_bytes += kibibytes(&status, "VmHWM:")? * 1_024;
        }
        Ok(cost)
    }
}

/// What processes have cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// User and system time, in seconds.
    pub cpu_s: f64,
    /// Resident bytes now, mapped files included.
    pub resident_bytes: u64,
    /// Resident bytes now that no file can give back.
    pub anonymous_bytes: u64,
    /// The most resident bytes that there were.
    pub peak_bytes: u64,
}

/// User and system time of a process so far, its ended threads included.
fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat =
        std::fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("no process {pid}"))?;
    let ticks: u64 = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|it| it.parse::<u64>())
        .sum::<Result<_, _>>()?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

fn kibibytes(status: &str, name: &str) -> anyhow::Result<u64> {
    let line = status.lines().find_map(|it| it.strip_prefix(name)).with_context(|| format!("no {name}"))?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Length of all files below `folder`, in bytes; nothing when there is no such folder.
pub fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(it) if it.is_dir() => bytes_below(&entry.path()),
        Ok(it) => it.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}
