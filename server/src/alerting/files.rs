//! The rule files of the stack: found, read, and looked at again when they change.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ops_alerts::rules::{RuleFile, RuleSet, Settings};
use ops_contract::Stack;

/// Largest rule file.
const LARGEST: u64 = 8 << 20;
/// Most rule files.
const MOST: usize = 1_000;
/// The name under which the rules of the program itself stand.
const BUILT_IN: &str = "insightdesk.yml (built in)";

/// When a file was last written, in seconds and nanoseconds, and how long it is.
type Stamp = (i64, i64, u64);

/// What was there when it was last looked: enough to tell that a file is another now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen(Vec<(PathBuf, Option<Stamp>)>);

/// Rules that were loaded.
pub(crate) struct Loaded {
    pub(crate) rules: Arc<RuleSet>,
    /// What is wrong with files, in words.
    pub(crate) faults: Vec<String>,
    /// What is evaluated, by path: each file as it last was without a fault.
    pub(crate) good: BTreeMap<String, String>,
}

/// Looks which files there are.
pub(crate) fn look(stack: &Stack) -> Seen {
    let mut files: Vec<PathBuf> = stack.alerts.rules.iter().flat_map(|pattern| expand(pattern)).collect();
    files.sort();
    files.dedup();
    files.truncate(MOST);
    let stamp = |path: &PathBuf| {
        let about = path.metadata().ok()?;
        Some((about.mtime(), about.mtime_nsec(), about.len()))
    };
    Seen(files.into_iter().map(|path| (path.clone(), stamp(&path))).collect())
}

/// Reads them. A file with a fault is told, and goes on as it was in `before`; the others are not held up by it.
pub(crate) fn load(
    stack: &Stack,
    seen: &Seen,
    settings: &Settings,
    before: &BTreeMap<String, String>,
) -> Loaded {
    let mut faults = Vec::new();
    let mut files = Vec::new();
    let mut good = BTreeMap::new();
    if stack.alerts.builtin {
        match RuleFile::parse(BUILT_IN, ops_alerts::BUILT_IN) {
            Ok(file) => files.push(file),
            Err(found) => faults.extend(found.iter().map(ToString::to_string)),
        }
    }
    for (path, stamp) in &seen.0 {
        let name = path.display().to_string();
        let now = read(path, *stamp).map_err(|fault| vec![format!("{name}: {fault}")]);
        let now = now.and_then(|text| match RuleFile::parse(&name, &text) {
            Ok(file) => Ok((file, text)),
            Err(found) => Err(found.iter().map(ToString::to_string).collect()),
        });
        let (file, text) = match now {
            Ok(both) => both,
            Err(found) => {
                faults.extend(found);
                let Some(text) = before.get(&name) else { continue };
                let Ok(file) = RuleFile::parse(&name, text) else { continue };
                (file, text.clone())
            }
        };
        files.push(file);
        good.insert(name, text);
    }
    Loaded { rules: Arc::new(RuleSet::new(files, settings)), faults, good }
}

fn read(path: &Path, stamp: Option<Stamp>) -> Result<String, String> {
    if stamp.is_some_and(|(_, _, bytes)| bytes > LARGEST) {
        return Err(format!("larger than {LARGEST} bytes"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// The files that a path with `*` in its last part means; a path without one is itself, there or not.
pub(crate) fn expand(pattern: &str) -> Vec<PathBuf> {
    let path = Path::new(pattern);
    let (Some(folder), Some(last)) = (path.parent(), path.file_name().and_then(|it| it.to_str())) else {
        return Vec::new();
    };
    if !last.contains('*') {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| fits(last, name)));
    names.map(|entry| entry.path()).filter(|path| path.is_file()).collect()
}

/// Whether `name` fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = left.get(at + part.len()..).unwrap_or_default();
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, good) in [
            ("*.yml", "alerts.yml", true),
            ("*.yml", "alerts.yaml", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("a*a", "a", false),
            ("plain", "plain", true),
        ] {
            assert_eq!(fits(pattern, name), good, "{pattern} {name}");
        }
    }

    #[test]
    fn a_file_that_is_named_and_absent_is_told() {
        assert_eq!(expand("/nowhere/rules.yml"), [PathBuf::from("/nowhere/rules.yml")]);
        assert!(expand("/nowhere/*.yml").is_empty());
    }
}
