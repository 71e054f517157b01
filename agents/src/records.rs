//! What shim and agent write down about one generation of a slot, in `run/<service>/<slot>/<generation>/`.

use std::path::Path;

use ops_contract::{ExitReason, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{files, procfs};

/// `process.json`, written by the shim before the program runs.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ProcessRecord {
    pub(crate) pid: u32,
    pub(crate) start_ticks: u64,
    pub(crate) boot_id: String,
    pub(crate) shim_pid: u32,
    pub(crate) shim_start_ticks: u64,
    pub(crate) generation: i64,
    pub(crate) port: Option<u16>,
    #[serde(rename = "started_at_us")]
    pub(crate) started_at: Timestamp,
}

/// `exit.json`, written by the shim after everything else.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ExitRecord {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    #[serde(rename = "at_us")]
    pub(crate) at: Timestamp,
    /// Processes that outlived the program.
    #[serde(default)]
    pub(crate) leftovers: Vec<String>,
    /// Why the program never began.
    #[serde(default)]
    pub(crate) error: Option<String>,
}

/// `stop.json`, written by the agent before it stops a generation: the intent outlives the agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StopRecord {
    /// What the end will be called.
    pub(crate) reason: ExitReason,
    /// When the first signal was sent; a program is told once.
    #[serde(rename = "signalled_at_us")]
    pub(crate) signalled_at: Option<Timestamp>,
}

impl ProcessRecord {
    pub(crate) fn read(generation_dir: &Path) -> Option<Self> {
        files::read_json(&generation_dir.join("process.json"))
    }

    /// Whether the program lives: same boot, same process, not a later one with its id.
    pub(crate) fn is_alive(&self) -> bool {
        self.boot_id == procfs::boot_id() && procfs::is_alive(self.pid, self.start_ticks)
    }

    /// Whether its shim lives.
    pub(crate) fn has_shim(&self) -> bool {
        self.boot_id == procfs::boot_id() && procfs::is_alive(self.shim_pid, self.shim_start_ticks)
    }
}

impl ExitRecord {
    pub(crate) fn read(generation_dir: &Path) -> Option<Self> {
        files::read_json(&generation_dir.join("exit.json"))
    }
}

impl StopRecord {
    pub(crate) fn read(generation_dir: &Path) -> Option<Self> {
        files::read_json(&generation_dir.join("stop.json"))
    }

    pub(crate) fn write(&self, generation_dir: &Path) -> std::io::Result<()> {
        files::write_json(&generation_dir.join("stop.json"), self)
    }
}
