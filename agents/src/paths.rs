use std::path::{Path, PathBuf};

use ops_contract::ReplicaId;

/// Where things are in the state folder.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    state_dir: PathBuf,
}

impl Paths {
    pub(crate) fn new(state_dir: PathBuf) -> Self {
        Self { state_dir }
    }

    /// Held by the one agent of this folder.
    pub(crate) fn agent_lock(&self) -> PathBuf {
        self.state_dir.join("agent.lock")
    }

    /// What the shims write: one folder per service.
    pub(crate) fn run(&self) -> PathBuf {
        self.state_dir.join("run")
    }

    /// The stack as the server told it last. It holds no secrets.
    pub(crate) fn stack(&self) -> PathBuf {
        self.state_dir.join("stack.json")
    }

    pub(crate) fn slot(&self, replica: &ReplicaId) -> PathBuf {
        self.run().join(replica.service.as_str()).join(replica.slot.to_string())
    }

    pub(crate) fn generation(&self, replica: &ReplicaId, generation: i64) -> PathBuf {
        self.slot(replica).join(generation.to_string())
    }

    pub(crate) fn logs(&self, replica: &ReplicaId) -> PathBuf {
        self.state_dir.join("logs").join(replica.service.as_str()).join(replica.slot.to_string())
    }

    pub(crate) fn log(&self, replica: &ReplicaId, generation: i64) -> PathBuf {
        self.logs(replica).join(format!("{generation}.log"))
    }

    pub(crate) fn exits(&self, replica: &ReplicaId) -> PathBuf {
        self.state_dir.join("exits").join(replica.service.as_str()).join(replica.slot.to_string())
    }

    /// Where earlier agents kept secrets, and where they began to write them.
    pub(crate) fn old_secrets(&self) -> [PathBuf; 2] {
        ["secrets.json", ".secrets.json.tmp"].map(|name| self.state_dir.join(name))
    }

    pub(crate) fn upstreams(&self) -> PathBuf {
        self.state_dir.join("data/nginx/upstreams.conf")
    }
}

/// The number in a name such as `12`, `12.json` or `12.log.1`; foreign files have none.
pub(crate) fn number_of(path: &Path) -> Option<i64> {
    path.file_name()?.to_str()?.split('.').next()?.parse().ok()
}

/// The paths in a folder; none when it cannot be read.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).collect()
}
