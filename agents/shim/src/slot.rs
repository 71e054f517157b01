use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};

use crate::spec::Spec;
use crate::{files, procfs};

/// The slot is held by another shim.
pub(crate) const HELD: u8 = 75;
/// The generation was used before.
pub(crate) const USED: u8 = 76;

/// Why a shim does not run the program.
pub(crate) struct Refusal {
    pub(crate) code: u8,
    pub(crate) message: String,
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self { code: 1, message }
    }
}

/// The slot, locked for as long as this value lives, and the folder of this generation.
pub(crate) struct Slot {
    /// Closed on exec, so that no program can hold it.
    _lock: File,
    directory: PathBuf,
}

impl Slot {
    /// Takes the slot, or says who must not be disturbed.
    pub(crate) fn take(spec: &Spec) -> Result<Self, Refusal> {
        let in_words = |what: &str, e: io::Error| {
            Refusal::from(format!("cannot {what} {}: {e}", spec.slot_dir.display()))
        };
        fs::create_dir_all(&spec.slot_dir).map_err(|e| in_words("make", e))?;
        let lock = File::options().create(true).truncate(false).write(true).open(spec.slot_dir.join("lock"));
        let lock = lock.map_err(|e| in_words("open the lock of", e))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(Refusal { code: HELD, message: format!("slot {} is held", spec.slot_dir.display()) });
        }

        let directory = spec.slot_dir.join(spec.generation.to_string());
        fs::create_dir_all(&directory).map_err(|e| in_words("make a generation in", e))?;
        if directory.join("process.json").exists() || directory.join("exit.json").exists() {
            return Err(Refusal {
                code: USED,
                message: format!("generation {} was used before", spec.generation),
            });
        }
        Ok(Self { _lock: lock, directory })
    }

    /// Writes `process.json`, before the program runs.
    pub(crate) fn write_process(&self, spec: &Spec, pid: i32) -> Result<(), String> {
        let shim_pid = i32::try_from(std::process::id()).unwrap_or_default();
        let process = json!({
            "pid": pid,
            "start_ticks": procfs::start_ticks(pid).ok_or("the program ended before it began")?,
            "boot_id": procfs::boot_id(),
            "shim_pid": shim_pid,
            "shim_start_ticks": procfs::start_ticks(shim_pid),
            "spec_hash": spec.spec_hash,
            "generation": spec.generation,
            "port": spec.port,
            "started_at_us": files::now_us(),
        });
        files::write_atomically(&self.directory, "process.json", &process)
            .map_err(|e| format!("cannot write process.json: {e}"))
    }

    /// Writes `exit.json`. When the disk is full there is none, and the agent calls the replica lost.
    pub(crate) fn write_exit(&self, exit: &Value) {
        let _ = files::write_atomically(&self.directory, "exit.json", exit);
    }

    /// Whether the agent has written down that it stops this generation.
    pub(crate) fn is_being_stopped(&self) -> bool {
        self.directory.join("stop.json").exists()
    }
}
