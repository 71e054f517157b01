use std::sync::atomic::{AtomicU64, Ordering};

use ops_contract::ExitReason;

use crate::evidence::End;
use crate::procfs;

/// What the end of a replica means, for a person who has not seen it.
pub(crate) fn of(end: &End, killed_for_memory: bool) -> String {
    let mut words = match (&end.error, end.signal, end.code) {
        (Some(error), _, _) => error.clone(),
        (None, Some(signal), _) => of_signal(signal),
        (None, None, Some(code)) => of_code(code),
        (None, None, None) => "ended while nobody watched; how is not known".to_owned(),
    };
    let before = match end.reason {
        ExitReason::Asked => "stopped as asked: ",
        ExitReason::Unresponsive => "stopped because it no longer answered: ",
        ExitReason::StartTimeout => "stopped because it gave no good answer in time: ",
        _ => "",
    };
    words.insert_str(0, before);
    if killed_for_memory {
        words.push_str("; the kernel has just killed for want of memory");
    }
    if !end.leftovers.is_empty() {
        words.push_str("; left behind and ended: ");
        words.push_str(&end.leftovers.join(", "));
    }
    words
}

fn of_signal(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL, an illegal instruction",
        6 => "SIGABRT, it gave up itself",
        7 => "SIGBUS, a bad memory access",
        8 => "SIGFPE, a bad calculation",
        9 => "SIGKILL",
        11 => "SIGSEGV, a bad memory access",
        13 => "SIGPIPE, nobody reads its output",
        15 => "SIGTERM",
        24 => "SIGXCPU, its processor time was up",
        25 => "SIGXFSZ, a file grew too long",
        31 => "SIGSYS, a forbidden system call",
        other => return format!("killed by signal {other} ({})", 128 + other),
    };
    format!("killed by {name} ({})", 128 + signal)
}

fn of_code(code: i32) -> String {
    match code {
        0 => "ended by itself with exit code 0".to_owned(),
        78 => "exit code 78: its configuration is wrong".to_owned(),
        126 => "exit code 126: the program cannot be executed".to_owned(),
        127 => "exit code 127: the program was not found".to_owned(),
        129..=159 => format!("exit code {code}: {}", of_signal(code - 128)),
        _ => format!("exit code {code}"),
    }
}

/// Notices that the kernel has killed for want of memory.
pub(crate) struct OomWatch(AtomicU64);

impl OomWatch {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(procfs::oom_kills().unwrap_or(0)))
    }

    /// Whether there was a kill since the last look.
    pub(crate) fn has_risen(&self) -> bool {
        let now = procfs::oom_kills().unwrap_or(0);
        self.0.swap(now, Ordering::Relaxed) < now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: Option<i32>, signal: Option<i32>, expected: &str) {
        let end = End { code, signal, reason: ExitReason::Failed, ..End::unknown() };
        assert_eq!(of(&end, false), expected);
    }

    #[test]
    fn ends_are_told_in_words() {
        check(Some(3), None, "exit code 3");
        check(None, Some(9), "killed by SIGKILL (137)");
        check(Some(143), None, "exit code 143: killed by SIGTERM (143)");
        check(None, Some(11), "killed by SIGSEGV, a bad memory access (139)");
        check(Some(78), None, "exit code 78: its configuration is wrong");
        check(None, None, "ended while nobody watched; how is not known");
        check(None, Some(40), "killed by signal 40 (168)");
    }
}
