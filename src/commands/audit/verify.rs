use std::io::Read;
use std::path::PathBuf;

use futures::StreamExt;
use ops_audit::verify::{Completeness, Integrity, Severity, Trust, Verdict, Verifier};

use super::super::words;
use super::trust;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Kind, Result};
use crate::output::{self, Colour};

/// Arguments of `audit verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// An export; `-` for standard input [default: fetched from the control plane]
    file: Option<PathBuf>,
    #[command(flatten)]
    keys: trust::Keys,
    /// Files with anchors that were laid down outside, one JSON line each
    #[arg(long, value_name = "FILE")]
    anchors: Vec<PathBuf>,
    /// Longest pause in seconds between two signatures that is in order
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    max_gap: u32,
    /// Fail also when something cannot be known: no key or no anchor from elsewhere
    #[arg(long)]
    strict: bool,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let keys = arguments.keys.read(globals)?;
    let mut anchors = Vec::new();
    for file in &arguments.anchors {
        anchors.extend(trust::anchors(file)?);
    }
    // The mark is of this host's server as it is now: an older file is rightly shorter.
    let mark = if arguments.file.is_none() { trust::mark(globals)? } else { None };
    let origin = keys.first().map(|key| key.id().name.clone());
    let searched = anchors.iter().map(|it| it.place.clone()).collect();
    let mut verifier = Verifier::of_export(Trust {
        origin,
        keys,
        anchors,
        searched,
        high_water: mark,
        max_gap_ms: i64::from(arguments.max_gap) * 1_000,
        ..Trust::default()
    });
    match &arguments.file {
        None => {
            let mut pieces = std::pin::pin!(Client::find(globals)?.download("/api/audit/export").await?);
            while let Some(piece) = pieces.next().await {
                verifier.feed(&piece?);
            }
        }
        Some(file) if file.as_os_str() == "-" => {
            read(&mut verifier, std::io::stdin().lock(), "standard input")?
        }
        Some(file) => {
            let name = file.display().to_string();
            let open = std::fs::File::open(file);
            let open = open.map_err(|error| Failure::usage(format!("could not read {name}: {error}")))?;
            read(&mut verifier, open, &name)?;
        }
    }
    let verdict = verifier.finish();
    if globals.json {
        output::json(&verdict)?;
    } else {
        say(&verdict);
    }
    match verdict.is_faulty() || (arguments.strict && !verdict.is_good()) {
        true => Err(Failure::new(Kind::Problems, "")),
        false => Ok(()),
    }
}

fn read(verifier: &mut Verifier, mut from: impl Read, name: &str) -> Result {
    let mut piece = vec![0; 1 << 20];
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(count) => verifier.feed(piece.get(..count).unwrap_or_default()),
            Err(error) => return Err(Failure::usage(format!("could not read {name}: {error}"))),
        }
    }
}

fn say(verdict: &Verdict) {
    if let Some(fault) = verdict.first_fault() {
        output::say(&output::paint(&format!("✕ {fault}"), Colour::Red));
    }
    let integrity = match verdict.integrity {
        Integrity::Intact => output::paint("● intact", Colour::Green),
        Integrity::Unproven => output::paint("◇ unproven", Colour::Yellow),
        Integrity::Broken => output::paint("✕ broken", Colour::Red),
    };
    let completeness = match verdict.completeness {
        Completeness::Complete => output::paint("● complete", Colour::Green),
        Completeness::Unknown => output::paint("◇ unknown", Colour::Yellow),
        Completeness::Broken => output::paint("✕ broken", Colour::Red),
    };
    output::say(&format!("integrity     {integrity}"));
    output::say(&format!("completeness  {completeness}, {}", covered(verdict)));
    let sealed_at = verdict.last_checkpoint_ms.map(|ms| ops_contract::Timestamp(ms.saturating_mul(1_000)));
    output::say(&format!(
        "entries       {}, {} of them signed by {} checkpoints{}",
        verdict.entries,
        verdict.sealed,
        verdict.checkpoints,
        sealed_at.map_or_else(String::new, |at| format!(", the last on {}", words::moment(at)))
    ));
    if verdict.bodies_dropped > 0 {
        output::say(&format!(
            "dropped       what {} old entries said; their proof is there",
            verdict.bodies_dropped
        ));
    }
    for finding in &verdict.findings {
        let glyph = if finding.severity == Severity::Fault { "✕" } else { "◇" };
        output::say(&format!("  {glyph} {finding}"));
    }
    let more = verdict.findings_total().saturating_sub(verdict.findings.len() as u64);
    if more > 0 {
        output::say(&format!("  and {more} more"));
    }
}

fn covered(verdict: &Verdict) -> String {
    match verdict.not_covered_seconds {
        Some(seconds) => format!("not covered: the last {seconds} s"),
        None => {
            "not covered: all of it; nothing from outside was there to compare with (--anchors)".to_owned()
        }
    }
}
