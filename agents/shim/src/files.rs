use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde_json::Value;

/// Writes `directory/name` so that a reader sees all of it or none, even after a power cut.
pub(crate) fn write_atomically(directory: &Path, name: &str, value: &Value) -> io::Result<()> {
    let temporary = directory.join(format!(".{name}.tmp"));
    let mut file = File::create(&temporary)?;
    file.write_all(value.to_string().as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, directory.join(name))?;
    File::open(directory)?.sync_all()
}

/// Microseconds since the Unix epoch.
pub(crate) fn now_us() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}
