//! Measures the machine, under the names that node-exporter made the field's standard, so that rules written for it work.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use ops_samples::{Labels, LabelsBuilder, NAME};
use tokio::time::{MissedTickBehavior, interval};

use crate::agent::Agent;
use crate::clock;
use crate::samples::Own;

/// The product team's interval.
const PAUSE: Duration = Duration::from_secs(15);
/// Clock ticks in a second, as `/proc` counts them on Linux.
const TICKS: f64 = 100.0;
/// Bytes of a sector, as `/proc/diskstats` counts them.
const SECTOR: f64 = 512.0;
/// File systems that hold files of this machine; others may hang when they are asked.
const FILE_SYSTEMS: [&str; 12] =
    ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "vfat", "overlay", "tmpfs", "bcachefs", "jfs"];
/// Most file systems, disks or interfaces that are told of.
const MOST: usize = 200;

/// Measures for ever.
pub(crate) async fn run(agent: Arc<Agent>) -> anyhow::Result<()> {
    let instance = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut own = Own::default();
    let mut ticks = interval(PAUSE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let at_ms = clock::now().0.div_euclid(1000);
        let instance = instance.clone();
        // A file system may take its time.
        let measured = tokio::task::spawn_blocking(move || measure(&instance)).await?;
        own.write(&agent.samples, at_ms, measured);
    }
}

/// Everything that can be read; what cannot is left out.
fn measure(instance: &str) -> Vec<(Labels, f64)> {
    let mut out = Out { instance, series: Vec::with_capacity(256) };
    out.put("up", &[], 1.0);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    memory(&mut out, &read("/proc/meminfo"));
    processor(&mut out, &read("/proc/stat"));
    load(&mut out, &read("/proc/loadavg"));
    events(&mut out, &read("/proc/vmstat"));
    disks(&mut out, &read("/proc/diskstats"));
    network(&mut out, &read("/proc/net/dev"));
    files(&mut out, &read("/proc/sys/fs/file-nr"));
    for what in ["cpu", "memory", "io"] {
        pressure(&mut out, what, &read(&format!("/proc/pressure/{what}")));
    }
    file_systems(&mut out, &read("/proc/self/mounts"));
    let now = clock::now().0 as f64 / 1e6;
    out.put("node_time_seconds", &[], now);
    out.series
}

struct Out<'a> {
    instance: &'a str,
    series: Vec<(Labels, f64)>,
}

impl Out<'_> {
    fn put(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let mut all = LabelsBuilder::default();
        all.set(NAME, name).set("job", "node").set("instance", self.instance);
        for (name, value) in labels {
            all.set(*name, *value);
        }
        if let Ok(labels) = all.build() {
            self.series.push((labels, value));
        }
    }

    /// Puts a text that is a number.
    fn put_text(&mut self, name: &str, labels: &[(&str, &str)], value: Option<&str>, unit: f64) {
        if let Some(value) = value.and_then(|it| it.parse::<f64>().ok()) {
            self.put(name, labels, value * unit);
        }
    }
}

/// `MemTotal:  1024 kB`; parentheses become underscores.
fn memory(out: &mut Out<'_>, text: &str) {
    for line in text.lines().take(MOST) {
        let Some((name, rest)) = line.split_once(':') else { continue };
        let name = name.replace('(', "_").replace(')', "");
        let mut words = rest.split_whitespace();
        let value = words.next();
        match words.next() {
            Some("kB") => out.put_text(&format!("node_memory_{name}_bytes"), &[], value, 1024.0),
            _ => out.put_text(&format!("node_memory_{name}"), &[], value, 1.0),
        }
    }
}

fn processor(out: &mut Out<'_>, text: &str) {
    const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let Some(name) = words.next() else { continue };
        let simple = match name {
            "ctxt" => "node_context_switches_total",
            "btime" => "node_boot_time_seconds",
            "processes" => "node_forks_total",
            "procs_running" => "node_procs_running",
            "procs_blocked" => "node_procs_blocked",
            _ => "",
        };
        if !simple.is_empty() {
            out.put_text(simple, &[], words.next(), 1.0);
        } else if let Some(cpu) = name.strip_prefix("cpu").filter(|it| !it.is_empty()) {
            for (mode, ticks) in MODES.iter().zip(words) {
                out.put_text(
                    "node_cpu_seconds_total",
                    &[("cpu", cpu), ("mode", mode)],
                    Some(ticks),
                    1.0 / TICKS,
                );
            }
        }
    }
}

fn load(out: &mut Out<'_>, text: &str) {
    for (name, value) in ["node_load1", "node_load5", "node_load15"].iter().zip(text.split_whitespace()) {
        out.put_text(name, &[], Some(value), 1.0);
    }
}

fn events(out: &mut Out<'_>, text: &str) {
    for line in text.lines() {
        let Some((name, value)) = line.split_once(' ') else { continue };
        if ["oom_kill", "pgpgin", "pgpgout", "pswpin", "pswpout", "pgfault", "pgmajfault"].contains(&name) {
            out.put_text(&format!("node_vmstat_{name}"), &[], Some(value), 1.0);
        }
    }
}

fn disks(out: &mut Out<'_>, text: &str) {
    const COLUMNS: [(usize, &str, f64); 9] = [
        (3, "node_disk_reads_completed_total", 1.0),
        (5, "node_disk_read_bytes_total", SECTOR),
        (6, "node_disk_read_time_seconds_total", 1e-3),
        (7, "node_disk_writes_completed_total", 1.0),
        (9, "node_disk_written_bytes_total", SECTOR),
        (10, "node_disk_write_time_seconds_total", 1e-3),
        (11, "node_disk_io_now", 1.0),
        (12, "node_disk_io_time_seconds_total", 1e-3),
        (13, "node_disk_io_time_weighted_seconds_total", 1e-3),
    ];
    for line in text.lines().take(MOST) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(device) = words.get(2).filter(|it| !it.starts_with("loop") && !it.starts_with("ram")) else {
            continue;
        };
        for (column, name, unit) in COLUMNS {
            out.put_text(name, &[("device", device)], words.get(column).copied(), unit);
        }
    }
}

fn network(out: &mut Out<'_>, text: &str) {
    const COLUMNS: [(usize, &str); 8] = [
        (0, "node_network_receive_bytes_total"),
        (1, "node_network_receive_packets_total"),
        (2, "node_network_receive_errs_total"),
        (3, "node_network_receive_drop_total"),
        (8, "node_network_transmit_bytes_total"),
        (9, "node_network_transmit_packets_total"),
        (10, "node_network_transmit_errs_total"),
        (11, "node_network_transmit_drop_total"),
    ];
    for line in text.lines().skip(2).take(MOST) {
        let Some((device, counts)) = line.split_once(':') else { continue };
        let counts: Vec<&str> = counts.split_whitespace().collect();
        for (column, name) in COLUMNS {
            out.put_text(name, &[("device", device.trim())], counts.get(column).copied(), 1.0);
        }
    }
}

fn files(out: &mut Out<'_>, text: &str) {
    let mut words = text.split_whitespace();
    out.put_text("node_filefd_allocated", &[], words.next(), 1.0);
    out.put_text("node_filefd_maximum", &[], words.nth(1), 1.0);
}

/// `some avg10=… total=123`: microseconds for which some, or all, tasks had to wait.
fn pressure(out: &mut Out<'_>, what: &str, text: &str) {
    for line in text.lines() {
        let kind = match (line.split(' ').next(), what) {
            (Some("some"), _) => "waiting",
            (Some("full"), "memory" | "io") => "stalled",
            _ => continue,
        };
        let total = line.rsplit_once("total=").map(|(_, total)| total);
        out.put_text(&format!("node_pressure_{what}_{kind}_seconds_total"), &[], total, 1e-6);
    }
}

fn file_systems(out: &mut Out<'_>, mounts: &str) {
    // What is mounted last in a place is what is seen there.
    let mut seen: BTreeMap<String, (String, &str, &str)> = BTreeMap::new();
    for line in mounts.lines().take(10 * MOST) {
        let words: Vec<&str> = line.split(' ').collect();
        let [device, place, kind, options, ..] = words.as_slice() else { continue };
        let place = unescape(place);
        let hidden = ["/dev", "/proc", "/sys", "/run/credentials", "/var/lib/docker", "/var/lib/containers"];
        let is_hidden = hidden.iter().any(|it| place == *it || place.starts_with(&format!("{it}/")));
        if FILE_SYSTEMS.contains(kind) && !is_hidden {
            seen.insert(place, (unescape(device), *kind, *options));
        }
    }
    for (place, (device, kind, options)) in seen.iter().take(MOST) {
        let labels = [("device", device.as_str()), ("fstype", *kind), ("mountpoint", place.as_str())];
        let Ok(size) = rustix::fs::statvfs(place.as_str()) else {
            out.put("node_filesystem_device_error", &labels, 1.0);
            continue;
        };
        let block = size.f_frsize as f64;
        let read_only = options.split(',').any(|it| it == "ro");
        for (name, value) in [
            ("node_filesystem_device_error", 0.0),
            ("node_filesystem_size_bytes", size.f_blocks as f64 * block),
            ("node_filesystem_free_bytes", size.f_bfree as f64 * block),
            ("node_filesystem_avail_bytes", size.f_bavail as f64 * block),
            ("node_filesystem_files", size.f_files as f64),
            ("node_filesystem_files_free", size.f_ffree as f64),
            ("node_filesystem_readonly", f64::from(u8::from(read_only))),
        ] {
            out.put(name, &labels, value);
        }
    }
}

/// The kernel writes blanks and backslashes in names as octal numbers.
fn unescape(name: &str) -> String {
    name.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn told(fill: impl Fn(&mut Out<'_>)) -> Vec<String> {
        let mut out = Out { instance: "box", series: Vec::new() };
        fill(&mut out);
        let shown = |(labels, value): &(Labels, f64)| {
            let rest = labels.iter().filter(|(name, _)| !["job", "instance"].contains(name));
            format!("{} {value}", Labels::new(rest).unwrap())
        };
        out.series.iter().map(shown).collect()
    }

    #[test]
    fn the_kernels_texts_become_node_exporters_series() {
        let meminfo = "MemTotal:       2 kB\nActive(anon):  1 kB\nHugePages_Total:       3\nrubbish\n";
        assert_eq!(
            told(|out| memory(out, meminfo)),
            [
                "node_memory_MemTotal_bytes 2048",
                "node_memory_Active_anon_bytes 1024",
                "node_memory_HugePages_Total 3"
            ]
        );
        let stat = "cpu  9 9\ncpu0 100 0 50\nctxt 7\nbtime 1700000000\nintr 5 6\n";
        assert_eq!(
            told(|out| processor(out, stat)),
            [
                r#"node_cpu_seconds_total{cpu="0", mode="user"} 1"#,
                r#"node_cpu_seconds_total{cpu="0", mode="nice"} 0"#,
                r#"node_cpu_seconds_total{cpu="0", mode="system"} 0.5"#,
                "node_context_switches_total 7",
                "node_boot_time_seconds 1700000000"
            ]
        );
        assert_eq!(
            told(|out| load(out, "0.5 1 2 1/2 3")),
            ["node_load1 0.5", "node_load5 1", "node_load15 2"]
        );
        let some =
            told(|out| pressure(out, "io", "some avg10=0 total=2000000\nfull avg10=0 total=1000000\n"));
        assert_eq!(
            some,
            ["node_pressure_io_waiting_seconds_total 2", "node_pressure_io_stalled_seconds_total 1"]
        );
        let net = "h\nh\n  eth0: 1 2 3 4 0 0 0 0 5 6 7 8 0\n";
        assert_eq!(told(|out| network(out, net)).len(), 8);
        let disk = told(|out| disks(out, "8 0 sda 1 0 2 3 4 0 5 6 7 8 9\n7 0 loop0 1 1 1 1 1\n"));
        assert_eq!(disk.get(1).unwrap(), r#"node_disk_read_bytes_total{device="sda"} 1024"#);
        assert_eq!(disk.len(), 9);
    }

    #[test]
    fn this_machine_has_what_rules_ask_for() {
        let series = measure("box");
        let has = |name: &str| series.iter().any(|(labels, value)| labels.metric() == name && *value > 0.0);
        for name in [
            "node_memory_MemTotal_bytes",
            "node_memory_MemAvailable_bytes",
            "node_cpu_seconds_total",
            "node_time_seconds",
        ] {
            assert!(has(name), "{name}");
        }
        assert!(series.iter().all(|(labels, _)| labels.get("job") == Some("node")));
    }

    #[test]
    fn rubbish_is_survived() {
        for text in
            ["", "\n\n", ":", "cpu", "cpu0", "a b c d e f g", "\0\u{ffff}", "some total=", "x:y kB kB"]
        {
            told(|out| {
                memory(out, text);
                processor(out, text);
                load(out, text);
                events(out, text);
                disks(out, text);
                network(out, text);
                files(out, text);
                pressure(out, "io", text);
                file_systems(out, text);
            });
        }
    }
}
