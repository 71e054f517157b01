//! What the command line knows of a log from elsewhere than the log.

use std::path::{Path, PathBuf};

use ops_audit::anchor::{Anchor, HighWater};
use ops_audit::export::{Line, Split, Splitter, parse};
use ops_audit::key::PublicKey;

use crate::cli::Globals;
use crate::failure::{Failure, Result};
use crate::place::Place;

/// The keys to verify with.
#[derive(Debug, clap::Args)]
pub(crate) struct Keys {
    /// The log's first public key, as the control plane told it (NAME+ID+KEY)
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// File with the log's first public key [default: audit.pub in the state folder]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl Keys {
    pub(super) fn read(&self, globals: &Globals) -> Result<Vec<PublicKey>> {
        let mut keys = Vec::new();
        for text in &self.key {
            keys.push(key(text, "--key")?);
        }
        let own = Place::find(globals)?.state.join("audit.pub");
        let file = match &self.key_file {
            Some(file) => Some(file.clone()),
            None => Some(own).filter(|it| keys.is_empty() && it.is_file()),
        };
        if let Some(file) = file {
            let text = read(&file)?;
            keys.push(key(text.trim(), &file.display().to_string())?);
        }
        Ok(keys)
    }
}

fn key(text: &str, from: &str) -> Result<PublicKey> {
    text.parse().map_err(|error| Failure::usage(format!("{from}: {error}")))
}

/// How far this host's server saw the log, if this is its state folder.
pub(super) fn mark(globals: &Globals) -> Result<Option<HighWater>> {
    let file = Place::find(globals)?.state.join("audit.mark");
    let Ok(text) = std::fs::read_to_string(&file) else { return Ok(None) };
    match serde_json::from_str(&text) {
        Ok(mark) => Ok(Some(mark)),
        Err(_) => Err(Failure::problems(format!("{} cannot be read: somebody changed it", file.display()))),
    }
}

/// The anchors of a file, one JSON line each.
pub(super) fn anchors(file: &Path) -> Result<Vec<Anchor>> {
    let text = read(file)?;
    let (mut anchors, mut bad, mut lines) = (Vec::new(), 0_u64, Splitter::default());
    let mut keep = |line: Split<'_>| match line {
        Split::Line([]) => {}
        Split::Line(line) => match parse(line) {
            Ok(Line::Anchor(anchor)) => anchors.push(anchor),
            _ => bad += 1,
        },
        Split::TooLong => bad += 1,
    };
    lines.feed(text.as_bytes(), &mut keep);
    lines.finish(&mut keep);
    if bad > 0 {
        return Err(Failure::problems(format!("{} lines of {} are no anchors", bad, file.display())));
    }
    Ok(anchors)
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("could not read {}: {error}", file.display())))
}
