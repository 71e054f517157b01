//! Finds and reads rule files.

use std::path::{Path, PathBuf};

use ops_alerts::rules::{Fault, RuleFile};

use crate::failure::{Failure, Result};

/// Largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// Most files that a pattern may name.
const MOST: usize = 1_000;

/// Reads a file that the command line names.
pub(super) fn read(path: &Path) -> Result<String> {
    let wrong = |why: String| Failure::usage(format!("cannot read {}: {why}", path.display()));
    let size = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if size > LARGEST {
        return Err(wrong(format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8 text".to_owned()))
}

/// Reads and parses a rule file; a file that cannot be read is a fault of its own.
pub(super) fn rules(path: &Path) -> std::result::Result<RuleFile, Vec<Fault>> {
    let name = path.display().to_string();
    match read(path) {
        Ok(text) => RuleFile::parse(&name, &text),
        Err(failure) => Err(vec![fault(name, failure.message)]),
    }
}

/// A fault of a file as a whole.
pub(super) fn fault(file: String, problem: String) -> Fault {
    Fault { file, line: None, place: String::new(), problem, fix: String::new() }
}

/// The files that a pattern names, ordered by name; `*` and `?` count in its last part only.
pub(super) fn matching(pattern: &Path) -> Vec<PathBuf> {
    let name = pattern.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    if !name.contains(['*', '?']) {
        return if pattern.is_file() { vec![pattern.to_owned()] } else { Vec::new() };
    }
    let folder = pattern.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .filter(|it| fits(&name, &it.file_name().to_string_lossy()))
        .map(|it| it.path())
        .filter(|it| it.is_file())
        .take(MOST)
        .collect();
    files.sort();
    files
}

/// Whether `name` fits a pattern of `*`, `?` and other characters.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut place) = (0, 0);
    // Where the last star stands, and how much it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while place < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(c) if *c == '?' || Some(c) == name.get(place) => (at, place) = (at + 1, place + 1),
            _ => match star {
                Some((stood, taken)) => {
                    star = Some((stood, taken + 1));
                    (at, place) = (stood + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_in_a_shell() {
        for (pattern, name, wanted) in [
            ("*.yml", "a.yml", true),
            ("*.yml", "a.yaml", false),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "aXc", false),
            ("??.yml", "ab.yml", true),
            ("*", "", true),
            ("a", "ab", false),
            ("*a*a*a*a*b", &"a".repeat(200), false),
        ] {
            assert_eq!(fits(pattern, name), wanted, "{pattern} on {name}");
        }
    }
}
