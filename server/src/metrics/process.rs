//! `process_*`: what the server itself uses, from `/proc`, under Prometheus' names.

use std::sync::atomic::{AtomicU64, Ordering};

use ops_telemetry::Metrics;
use ops_telemetry::prometheus_client::metrics::counter::Counter;
use ops_telemetry::prometheus_client::metrics::gauge::Gauge;

use crate::clock;

/// How often a second the kernel counts; it is 100 for all that it tells to programs.
const TICKS: f64 = 100.0;

/// Handles of the metrics.
#[derive(Clone, Debug, Default)]
pub(super) struct Process {
    memory: Gauge<u64, AtomicU64>,
    cpu: Counter<f64, AtomicU64>,
    start: Gauge<f64, AtomicU64>,
    files: Gauge<u64, AtomicU64>,
}

impl Process {
    pub(super) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        own.start.set(clock::now().as_seconds());
        let it = own.clone();
        metrics.with(|registry| {
            registry.register("process_resident_memory_bytes", "Resident memory of the server", it.memory);
            registry.register("process_cpu_seconds", "Processor time of the server", it.cpu);
            registry.register("process_start_time_seconds", "When the server began", it.start);
            registry.register("process_open_fds", "Open files of the server", it.files);
        });
        own
    }

    /// Writes what is so now, where the system tells it.
    pub(super) fn refresh(&self) {
        if let Some(bytes) = resident_memory() {
            self.memory.set(bytes);
        }
        if let Some(seconds) = cpu_seconds() {
            self.cpu.inner().store(seconds.to_bits(), Ordering::Relaxed);
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            self.files.set(u64::try_from(files.count()).unwrap_or(u64::MAX));
        }
    }
}

fn resident_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name may hold anything but ends with the last bracket; user and system time are fields 14 and 15 of the line.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}
