//! Small files, written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;

/// Writes a file for its owner only, by a new name and a rename.
pub(crate) fn write_private(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    let draft = path.with_extension(format!("new-{}", std::process::id()));
    let write = || -> std::io::Result<()> {
        // A draft that a crash left under the same pid may have other permissions.
        let _ = fs::remove_file(&draft);
        let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().with_context(|| format!("could not write {}", path.display()))
}

/// Makes the state folder and those in it that this program writes to.
pub(crate) fn make_state(state: &Path) -> anyhow::Result<()> {
    for folder in [state.to_owned(), state.join("logs/control"), state.join("control"), state.join("data")] {
        fs::create_dir_all(&folder).with_context(|| format!("could not create {}", folder.display()))?;
    }
    Ok(())
}
