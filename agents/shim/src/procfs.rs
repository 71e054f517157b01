use std::fs;

/// One process, as far as a shim cares.
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) name: String,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    pub(crate) zombie: bool,
    start_ticks: u64,
}

/// Reads `/proc/<pid>/stat`.
pub(crate) fn process(pid: i32) -> Option<Process> {
    parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Every process that can be seen.
pub(crate) fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(process).collect()
}

/// When the process was started, in clock ticks since boot: tells a process from a later one with its id.
pub(crate) fn start_ticks(pid: i32) -> Option<u64> {
    Some(process(pid)?.start_ticks)
}

/// Names this boot of the machine; empty where there is no such thing.
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The name stands in parentheses and may hold anything, parentheses too.
fn parse(pid: i32, stat: &str) -> Option<Process> {
    let (open, close) = (stat.find('(')?, stat.rfind(')')?);
    let fields: Vec<&str> = stat.get(close + 2..)?.split(' ').collect();
    Some(Process {
        pid,
        name: stat.get(open + 1..close)?.to_owned(),
        zombie: matches!(*fields.first()?, "Z" | "X"),
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        start_ticks: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_is_read() {
        let stat = "7 (a) b (c) S 1 2 3 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";
        let process = parse(7, stat).expect("parses");
        assert_eq!((process.name.as_str(), process.start_ticks), ("a) b (c", 4711));
        assert_eq!((process.parent, process.group, process.session, process.zombie), (1, 2, 3, false));
    }

    #[test]
    fn rubbish_is_no_process() {
        for stat in ["", "7", "7 (a", "7 (a)", "7 (a) S", ")("] {
            assert!(parse(7, stat).is_none(), "{stat}");
        }
    }
}
