//! What a program leaves behind: children in its process group or session, and those that reparented to the shim.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process};

use crate::procfs::{self, Process};

/// Pause between two looks at what is still there.
const PAUSE: Duration = Duration::from_millis(20);

/// Processes that outlived the program with id `main`.
pub(crate) fn find(main: i32) -> Vec<Process> {
    while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let all = procfs::all();
    let mut family = vec![own];
    let mut known = 0;
    while known < family.len() {
        let parent = family[known];
        family.extend(all.iter().filter(|process| process.parent == parent).map(|process| process.pid));
        known += 1;
    }
    let is_left = |process: &Process| {
        let related = process.group == main || process.session == own || family.contains(&process.pid);
        related && process.pid != own && process.pid != main && !process.zombie
    };
    all.into_iter().filter(is_left).collect()
}

/// `4711 (node)`, for people.
pub(crate) fn names(leftovers: &[Process]) -> Vec<String> {
    leftovers.iter().map(|process| format!("{} ({})", process.pid, process.name)).collect()
}

/// Sends `signal` to each.
pub(crate) fn signal(leftovers: &[Process], signal: Signal) {
    for pid in leftovers.iter().filter_map(|process| Pid::from_raw(process.pid)) {
        let _ = kill_process(pid, signal);
    }
}

/// Waits until nothing is left, for at most `patience`; `meanwhile` keeps the log flowing.
#[expect(clippy::disallowed_methods, reason = "the shim has no runtime")]
pub(crate) fn wait(main: i32, patience: Duration, mut meanwhile: impl FnMut()) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        meanwhile();
        if find(main).is_empty() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(PAUSE);
    }
}
