//! Looks for programs; the only place of this crate that reads the environment (`PATH`).

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where a program is: as a path relative to `base`, or by its name in `PATH`.
pub(crate) fn find(program: &str, base: &Path) -> Result<PathBuf, &'static str> {
    if program.contains('/') {
        let path = base.join(program);
        return match path.metadata() {
            Ok(found) if found.is_dir() => Err("is a folder"),
            Ok(found) if found.permissions().mode() & 0o111 == 0 => Err("is not executable"),
            Ok(_) => Ok(path),
            Err(_) => Err("does not exist"),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|it| it.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0))
        .ok_or("is not in PATH")
}
