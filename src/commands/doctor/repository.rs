//! Whether the repository holds secrets: files that should never be committed, and lines that look like keys.
//!
//! What git tracks is looked at as it stands in the work tree; older commits are not. A value is never printed.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Check, bad, good, look_alikes, warning};

const CHECK: &str = "repository";
/// Longest text that is read of a file; secrets stand in small ones.
const LONGEST: u64 = 4 << 20;
/// Most findings that are shown.
const SHOWN: usize = 20;
/// What `.gitignore` must cover, and a file that shows it.
const IGNORED: [(&str, &str); 5] = [
    (".env", ".env"),
    (".env.local", ".env.local"),
    (".env.*.local", ".env.production.local"),
    ("*.pem", "server.pem"),
    ("*.key", "server.key"),
];
/// Endings of files in which a name and its value stand side by side.
const SETTINGS: [&str; 12] =
    ["env", "yml", "yaml", "toml", "json", "ini", "conf", "cfg", "properties", "tf", "tfvars", "sh"];

/// Something that should not be there.
struct Found {
    path: String,
    /// 0: the file as such.
    line: usize,
    what: &'static str,
}

/// Looks at the repository around `folder`.
pub(super) fn look(folder: &Path) -> Vec<Check> {
    let Some(top) = git(folder, &["rev-parse", "--show-toplevel"]) else {
        return vec![good(CHECK, "this folder is in none")];
    };
    let top = PathBuf::from(String::from_utf8_lossy(&top).trim_end().to_owned());
    let Some(tracked) = git(&top, &["ls-files", "-z"]) else {
        return vec![warning(CHECK, "git does not list its files", "run git ls-files there and see")];
    };
    let paths: Vec<String> = tracked
        .split(|it| *it == 0)
        .filter(|it| !it.is_empty())
        .map(|it| String::from_utf8_lossy(it).into_owned())
        .collect();
    let found: Vec<Found> = paths.iter().flat_map(|path| judge(&top, path)).collect();
    let mut checks = Vec::new();
    if found.is_empty() {
        checks.push(good(CHECK, format!("{} tracked files, none holds a secret", paths.len())));
    } else {
        checks.push(told(&found));
    }
    checks.extend(ignored(&top));
    checks
}

fn told(found: &[Found]) -> Check {
    let place = |it: &Found| match it.line {
        0 => format!("{} ({})", it.path, it.what),
        line => format!("{}:{line} ({})", it.path, it.what),
    };
    let mut places: Vec<String> = found.iter().take(SHOWN).map(place).collect();
    if found.len() > SHOWN {
        places.push(format!("{} more", found.len() - SHOWN));
    }
    let fix = format!(
        "renew the value, it stays in the history; git rm --cached FILE; a line that only looks like one may end in a comment {}",
        look_alikes::MARK
    );
    bad(CHECK, format!("tracked by git: {}", places.join(", ")), fix)
}

fn judge(top: &Path, path: &str) -> Vec<Found> {
    if let Some(what) = by_name(path) {
        return vec![Found { path: path.to_owned(), line: 0, what }];
    }
    let Some(text) = read(&top.join(path)) else { return Vec::new() };
    let ending = path.rsplit(['.', '/']).next().unwrap_or_default();
    let settings =
        SETTINGS.contains(&ending) || path.rsplit('/').next().is_some_and(|it| it.starts_with(".env"));
    text.split(|it| *it == b'\n')
        .enumerate()
        .filter_map(|(number, line)| Some((number + 1, look_alikes::look(line, settings)?)))
        .map(|(line, what)| Found { path: path.to_owned(), line, what })
        .collect()
}

/// Files that hold secrets by what they are: the list of `.gitignore`, and what ssh and data stores keep keys in.
fn by_name(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let example =
        ["example", "sample", "template", "dist"].iter().any(|it| name.ends_with(&format!(".{it}")));
    if (name == ".env" || name.starts_with(".env.")) && !example {
        return Some("an environment file");
    }
    let (_, ending) = name.rsplit_once('.').unwrap_or_default();
    match ending {
        "pem" | "key" | "p12" | "pfx" | "jks" | "keystore" => return Some("a key file"),
        _ => {}
    }
    match name.as_str() {
        "id_rsa" | "id_ecdsa" | "id_ed25519" | "id_dsa" => Some("a key file"),
        ".netrc" | ".pgpass" | ".htpasswd" | ".vault-token" => Some("a password file"),
        _ => None,
    }
}

/// A regular file's text; nothing of links, and of what is not text.
fn read(path: &Path) -> Option<Vec<u8>> {
    let metadata = path.symlink_metadata().ok()?;
    if !metadata.is_file() {
        return None;
    }
    let mut text = Vec::new();
    File::open(path).ok()?.take(LONGEST).read_to_end(&mut text).ok()?;
    let begin = text.get(..text.len().min(8_192))?;
    (!begin.contains(&0)).then_some(text)
}

fn ignored(top: &Path) -> Option<Check> {
    let missing: Vec<&str> = IGNORED
        .iter()
        .filter(|(_, file)| git(top, &["check-ignore", "--no-index", file]).is_none())
        .map(|(pattern, _)| *pattern)
        .collect();
    if missing.is_empty() {
        return None;
    }
    let missing = missing.join(" ");
    Some(bad(
        CHECK,
        format!("not in .gitignore: {missing}"),
        format!("put these lines into .gitignore: {missing}"),
    ))
}

fn git(folder: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let output =
        Command::new("git").arg("-C").arg(folder).args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then_some(output.stdout)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::State;
    use super::*;

    fn run(folder: &Path, arguments: &[&str]) {
        assert!(git(folder, arguments).is_some(), "git {arguments:?}");
    }

    #[test]
    fn what_is_committed_is_found_and_never_printed() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        run(at, &["init", "-q"]);
        let secret = "q7Zk3vT9xB2mL5pR8wY1nC4dF6gH0jKs";
        fs::write(at.join(".gitignore"), ".env\n.env.local\n.env.*.local\n*.pem\n*.key\n").unwrap();
        fs::write(at.join(".env.example"), "JWT_SECRET=change-me\n").unwrap();
        fs::write(at.join(".env"), format!("JWT_SECRET={secret}\n")).unwrap();
        run(at, &["add", "."]);
        let checks = look(at);
        assert_eq!(checks.len(), 1);
        assert_eq!(checks[0].state, State::Good, "{}: what is ignored is not tracked", checks[0].found);

        fs::create_dir(at.join("deploy")).unwrap();
        fs::write(at.join("deploy/values.yaml"), format!("a: 1\njwtSecret: {secret}\n")).unwrap();
        fs::write(at.join("tls.pem"), "-----BEGIN CERTIFICATE-----\n").unwrap();
        fs::write(at.join("rubbish.bin"), [0, 159, 146, 150]).unwrap();
        std::os::unix::fs::symlink("/etc/shadow", at.join("link")).unwrap();
        run(at, &["add", "--force", "."]);
        let checks = look(at);
        assert_eq!(checks[0].state, State::Bad);
        for wanted in [
            ".env (an environment file)",
            "deploy/values.yaml:2 (a value of a secret)",
            "tls.pem (a key file)",
        ] {
            assert!(checks[0].found.contains(wanted), "{wanted} is not in {}", checks[0].found);
        }
        assert!(!checks[0].found.contains(secret) && !checks[0].found.contains("rubbish"));

        fs::write(at.join(".gitignore"), "*.key\n").unwrap();
        let last = look(at).pop().unwrap();
        assert_eq!(last.state, State::Bad);
        assert!(last.found.ends_with(".env .env.local .env.*.local *.pem"), "{}", last.found);
    }

    #[test]
    fn a_folder_without_a_repository_is_good() {
        assert_eq!(look(tempfile::tempdir().unwrap().path())[0].state, State::Good);
    }
}
