//! The replicas' processes as the shims' records tell them: to see what is left, and to end it by force.

use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;

use super::Identity;

/// Longest record that is read.
const LONGEST: u64 = 64 << 10;

/// A replica whose program or shim lives.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    /// `api/0`.
    pub(crate) name: String,
    /// The program, if it lives.
    pub(crate) program: Option<Identity>,
    /// The shim, if it lives.
    pub(crate) shim: Option<Identity>,
}

/// `process.json`, as far as it matters here.
#[derive(Deserialize)]
struct Record {
    pid: u32,
    start_ticks: u64,
    boot_id: String,
    shim_pid: u32,
    shim_start_ticks: u64,
}

/// Every replica of the state folder that lives.
pub(crate) fn alive(state: &Path) -> Vec<Slot> {
    let mut slots = Vec::new();
    for service in folders(&state.join("run")) {
        for slot in folders(&service) {
            let name =
                [&service, &slot].map(|it| it.file_name().unwrap_or_default().to_string_lossy().into_owned());
            slots.extend(folders(&slot).iter().filter_map(|generation| look(&name.join("/"), generation)));
        }
    }
    slots
}

/// Ends every replica by force: its own grace first, then SIGKILL.
pub(crate) async fn end_all(state: &Path, grace: Duration) {
    for slot in alive(state) {
        slot.signal(Signal::TERM);
    }
    let deadline = tokio::time::Instant::now() + grace;
    while !alive(state).is_empty() && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for slot in alive(state) {
        slot.signal(Signal::KILL);
        if let Some(shim) = &slot.shim
            && !shim.ended_within(Duration::from_secs(3)).await
        {
            shim.signal(Signal::KILL);
        }
    }
}

impl Slot {
    /// To the program's whole group: what it started ends with it.
    fn signal(&self, signal: Signal) {
        if let Some(program) = &self.program
            && program.is_alive()
            && let Some(group) = i32::try_from(program.pid).ok().and_then(Pid::from_raw)
        {
            let _ = kill_process_group(group, signal);
        }
    }
}

fn look(name: &str, generation: &Path) -> Option<Slot> {
    let file = generation.join("process.json");
    (file.metadata().ok()?.len() <= LONGEST).then_some(())?;
    let record: Record = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    let living = |pid, ticks: u64| {
        let process = Identity { pid, start: ticks.to_string(), boot_id: record.boot_id.trim().to_owned() };
        process.is_alive().then_some(process)
    };
    let (program, shim) =
        (living(record.pid, record.start_ticks), living(record.shim_pid, record.shim_start_ticks));
    (program.is_some() || shim.is_some()).then(|| Slot { name: name.to_owned(), program, shim })
}

fn folders(parent: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .map(|it| it.path())
        .filter(|it| it.is_dir())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lives_is_told() {
        let state = tempfile::tempdir().unwrap();
        let own = Identity::own();
        for (slot, ticks) in [("0", own.start.as_str()), ("1", "1")] {
            let folder = state.path().join("run/api").join(slot).join("3");
            std::fs::create_dir_all(&folder).unwrap();
            let record = serde_json::json!({
                "pid": own.pid, "start_ticks": ticks.parse::<u64>().unwrap(), "boot_id": own.boot_id,
                "shim_pid": 1, "shim_start_ticks": 1,
            });
            std::fs::write(folder.join("process.json"), record.to_string()).unwrap();
        }
        std::fs::create_dir_all(state.path().join("run/broken/0/1")).unwrap();
        std::fs::write(state.path().join("run/broken/0/1/process.json"), "rubbish").unwrap();
        let names: Vec<String> = alive(state.path()).into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["api/0"]);
    }
}
