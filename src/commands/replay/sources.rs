//! Where traces come from.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use ops_engine::simulate::read::{self, LARGEST_BYTES, Recording};
use ops_engine::simulate::{Scenario, Wishes, synthetic};

use crate::failure::{Failure, Kind, Result};

/// A trace before it has a seed.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// From a file.
    Recorded(Recording),
    /// By its name, which is known.
    Synthetic(String),
}

impl Source {
    /// The trace's name.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Recorded(recording) => &recording.name,
            Self::Synthetic(name) => name,
        }
    }

    /// The jobs of one seed. None for a name that nothing is known by.
    pub(super) fn scenario(&self, wishes: &Wishes, seed: u64) -> Option<Scenario> {
        match self {
            Self::Recorded(recording) => Some(Scenario::recorded(recording, wishes, seed)),
            Self::Synthetic(name) => synthetic::scenario(name, wishes, seed),
        }
    }
}

/// Reads one file, never more of it than is replayed.
pub(super) fn file(path: &Path) -> Result<Source> {
    let wrong = |kind: Kind, what: String| Failure::new(kind, format!("{}: {what}", path.display()));
    let could_not = |error: std::io::Error| wrong(Kind::Usage, format!("could not be read: {error}"));
    let file = File::open(path).map_err(could_not)?;
    let said = file.metadata().map_err(could_not)?;
    if said.len() > LARGEST_BYTES as u64 {
        return Err(wrong(Kind::Usage, read::too_large(said.len())));
    }
    let mut bytes = Vec::new();
    // A pipe says no length.
    file.take(LARGEST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(could_not)?;
    let text = String::from_utf8_lossy(&bytes);
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    read::read(&name, &text).map(Source::Recorded).map_err(|fault| wrong(Kind::Usage, fault.to_string()))
}

/// Reads every `.csv` of a folder, in the order of their names.
pub(super) fn folder(path: &Path) -> Result<Vec<Source>> {
    let entries = std::fs::read_dir(path)
        .map_err(|error| Failure::usage(format!("{}: could not be read: {error}", path.display())))?;
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> =
        files.filter(|it| it.extension().is_some_and(|ending| ending == "csv")).collect();
    files.sort();
    files.iter().map(|it| file(it)).collect()
}

/// All made-up ones.
pub(super) fn all_synthetic() -> impl Iterator<Item = Source> {
    synthetic::names().map(|(name, _)| Source::Synthetic(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_claims_100_mb_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.csv");
        File::create(&path).unwrap().set_len(100 << 20).unwrap();
        let failure = file(&path).unwrap_err();
        assert_eq!(failure.kind, Kind::Usage);
        assert!(
            failure.message.ends_with("it has 100 MiB, at most 64 are read: use wider steps"),
            "{failure:?}"
        );
    }

    #[test]
    fn a_fault_names_the_file_and_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, b"timestamp,value\r\n0,\xff\xfe\r\n").unwrap();
        let failure = file(&path).unwrap_err();
        assert!(failure.message.contains("a.csv: line 2, column 2 (value): "), "{failure:?}");
        assert!(file(&folder.path().join("none.csv")).is_err());
        assert!(file(folder.path()).is_err());
    }
}
