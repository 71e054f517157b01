use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;

use serde::Deserialize;

/// Longest document that is read.
const MAX_BYTES: u64 = 1 << 20;

/// What a shim is told on standard input. The only way for a secret to reach a program.
#[derive(Deserialize)]
pub(crate) struct Spec {
    /// `run/<service>/<slot>`.
    pub(crate) slot_dir: PathBuf,
    /// Which start of the slot.
    pub(crate) generation: i64,
    /// Where the log goes.
    pub(crate) log_path: PathBuf,
    /// Size at which the log is rotated.
    pub(crate) log_max_bytes: u64,
    /// How many rotated files are kept.
    pub(crate) log_keep: u32,
    /// Program and arguments.
    pub(crate) argv: Vec<String>,
    /// Working directory.
    pub(crate) directory: PathBuf,
    /// The whole environment of the program.
    pub(crate) env: BTreeMap<String, String>,
    /// What must not be seen in the log.
    #[serde(default)]
    pub(crate) redact: Vec<String>,
    /// The port it was handed; only written down.
    pub(crate) port: Option<u16>,
    /// Only written down.
    pub(crate) spec_hash: String,
    /// How long what a stopped program left behind may take to end.
    #[serde(default = "thirty_seconds")]
    pub(crate) stop_grace_ms: u64,
}

fn thirty_seconds() -> u64 {
    30_000
}

impl Spec {
    /// Reads standard input to its end.
    pub(crate) fn read() -> Result<Self, String> {
        let mut text = Vec::new();
        io::stdin()
            .take(MAX_BYTES + 1)
            .read_to_end(&mut text)
            .map_err(|e| format!("cannot read the specification: {e}"))?;
        if text.len() as u64 > MAX_BYTES {
            return Err(format!("the specification is longer than {MAX_BYTES} bytes"));
        }
        let spec: Self = serde_json::from_slice(&text).map_err(|e| format!("bad specification: {e}"))?;
        if spec.argv.is_empty() {
            return Err("bad specification: no program".to_owned());
        }
        Ok(spec)
    }
}
