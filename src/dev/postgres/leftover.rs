//! What a killed server leaves: processes that still end, and a `postmaster.pid` that names nobody, or somebody else.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::bail;

/// A server's processes notice within moments that their parent is gone; one in a long statement takes its time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until no process works in `cluster`, then removes a stale `postmaster.pid`.
///
/// Without `/proc` it does nothing: PostgreSQL itself then judges the file, rightly in nearly all cases.
pub(super) fn clear(cluster: &Path) -> anyhow::Result<()> {
    if !cfg!(target_os = "linux") || !cluster.join("postmaster.pid").exists() {
        return Ok(());
    }
    let deadline = Instant::now() + PATIENCE;
    while let Some(pid) = inhabitant(cluster) {
        if Instant::now() > deadline {
            bail!(
                "process {pid} still works in {}: end it (kill -QUIT {pid}) and start again",
                cluster.display()
            );
        }
        pause(Duration::from_millis(50));
    }
    // Its pid may by now be another program's, at which PostgreSQL would refuse to start.
    let _ = std::fs::remove_file(cluster.join("postmaster.pid"));
    Ok(())
}

/// A process whose working directory is the cluster: every PostgreSQL process of it.
fn inhabitant(cluster: &Path) -> Option<u32> {
    let own = std::process::id();
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let inside = std::fs::read_link(entry.path().join("cwd")).is_ok_and(|it| it == cluster);
        (inside && pid != own).then_some(pid)
    })
}

#[expect(clippy::disallowed_methods)]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
