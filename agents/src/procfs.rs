use std::collections::BTreeMap;
use std::fs;

use ops_contract::ReplicaUsage;

/// Clock ticks in a second, as `/proc` counts them on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// One process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) session: u32,
    pub(crate) zombie: bool,
    pub(crate) start_ticks: u64,
    cpu_ticks: u64,
    resident_pages: u64,
}

/// Reads `/proc/<pid>/stat`.
pub(crate) fn process(pid: u32) -> Option<Process> {
    parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Every process that can be seen.
pub(crate) fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(process).collect()
}

/// Whether the process with this id is the one that was started then, and lives.
pub(crate) fn is_alive(pid: u32, start_ticks: u64) -> bool {
    process(pid).is_some_and(|process| process.start_ticks == start_ticks && !process.zombie)
}

/// Names this boot of the machine; empty where there is no such thing.
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Whether the process has a handler for signal `number`: one that has none is ended by it.
pub(crate) fn catches(pid: u32, number: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (number - 1)) != 0
}

/// How often the kernel has killed for want of memory since boot; `None` where it cannot be read.
pub(crate) fn oom_kills() -> Option<u64> {
    let text = fs::read_to_string("/proc/vmstat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
}

/// A replica's processes: those of its shim's session and all their children, without the shim.
pub(crate) fn family(all: &[Process], shim: u32) -> Vec<Process> {
    let mut family: Vec<Process> = Vec::new();
    let mut parents = vec![shim];
    family.extend(all.iter().filter(|process| process.session == shim && process.pid != shim));
    parents.extend(family.iter().map(|process| process.pid));
    let mut at = 0;
    while at < parents.len() {
        let parent = parents[at];
        for child in all.iter().filter(|process| process.parent == parent) {
            if !parents.contains(&child.pid) {
                parents.push(child.pid);
                family.push(*child);
            }
        }
        at += 1;
    }
    family
}

/// What `family` uses; `earlier` holds the processor ticks of each process at the last look, `elapsed_s` ago.
pub(crate) fn usage(family: &[Process], earlier: &BTreeMap<u32, u64>, elapsed_s: f64) -> ReplicaUsage {
    let page = rustix::param::page_size() as u64;
    let ticks = |process: &Process| {
        earlier.get(&process.pid).map_or(0, |before| process.cpu_ticks.saturating_sub(*before))
    };
    let spent = family.iter().map(ticks).sum::<u64>() as f64 / TICKS_PER_SECOND;
    ReplicaUsage {
        cpu_cores: if elapsed_s > 0.0 { spent / elapsed_s } else { 0.0 },
        memory_bytes: family.iter().map(|process| process.resident_pages * page).sum(),
        connections: None,
        active_jobs: None,
        open_files: family.iter().map(|process| open_files(process.pid)).sum(),
    }
}

/// Processor ticks by process, for the next [`usage`].
pub(crate) fn ticks(family: &[Process]) -> impl Iterator<Item = (u32, u64)> {
    family.iter().map(|process| (process.pid, process.cpu_ticks))
}

fn open_files(pid: u32) -> u64 {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, |entries| entries.count() as u64)
}

/// The name stands in parentheses and may hold anything, parentheses too.
fn parse(pid: u32, stat: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.get(stat.rfind(')')? + 2..)?.split(' ').collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Process {
        pid,
        zombie: matches!(*fields.first()?, "Z" | "X"),
        parent: u32::try_from(number(1)?).ok()?,
        session: u32::try_from(number(3)?).ok()?,
        cpu_ticks: number(11)? + number(12)?,
        start_ticks: number(19)?,
        resident_pages: number(21)?,
    })
}
