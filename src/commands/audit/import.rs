//! `insightdesk audit import`: files of other systems become entries of the log.

use std::path::{Path, PathBuf};

use ops_contract::AuditImported;
use serde::Serialize;

use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::output;

/// Longest file that the control plane takes.
const LONGEST: u64 = 16 << 20;

/// Arguments of `audit import`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What the files are
    #[arg(value_name = "KIND")]
    kind: Kind,
    /// The files, packed with gzip or not
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// A kind of files.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Kind {
    /// AWS CloudTrail
    Cloudtrail,
}

#[derive(Serialize)]
struct Row {
    file: String,
    #[serde(flatten)]
    imported: AuditImported,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let Kind::Cloudtrail = arguments.kind;
    let client = Client::find(globals)?;
    let mut rows = Vec::new();
    for file in &arguments.files {
        let imported = client.upload("/api/audit/import?from=cloudtrail", read(file)?).await;
        let imported = imported.map_err(|failure| {
            Failure::new(failure.kind, format!("{} was not imported: {}", file.display(), failure.message))
        })?;
        rows.push(Row { file: file.display().to_string(), imported });
    }
    if globals.json {
        return output::json(&rows);
    }
    let mut table = output::table(&["file", "new", "known", "others"]);
    for Row { file, imported } in rows {
        table.add_row([
            file,
            imported.entries.to_string(),
            imported.known.to_string(),
            imported.others.to_string(),
        ]);
    }
    output::say_table(&table);
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let cannot =
        |error: std::io::Error| Failure::usage(format!("could not read {}: {error}", file.display()));
    let size = std::fs::metadata(file).map_err(cannot)?.len();
    if size > LONGEST {
        return Err(Failure::usage(format!(
            "{} is longer than {} MiB: pack it with gzip, or bring it in parts",
            file.display(),
            LONGEST >> 20
        )));
    }
    std::fs::read(file).map_err(cannot)
}
