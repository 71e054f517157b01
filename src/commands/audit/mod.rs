//! `insightdesk audit`: who read what, and whether the record of it can be trusted.

mod findings;
mod import;
mod list;
mod trust;
mod verify;

use std::io::Write;
use std::path::PathBuf;

use futures::StreamExt;

use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::output;

/// Subcommands of `audit`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show the newest entries
    #[command(
        after_help = "Looking is an entry of the log itself.\n\nExamples:\n  insightdesk audit list\n  insightdesk audit list --actor alice --action secret.read\n  insightdesk audit list --outcome denied --json"
    )]
    List(list::Arguments),
    /// Show what was unusual or unauthorised
    #[command(
        after_help = "docs/findings.md says what each rule looks for and what to do.\n\nExamples:\n  insightdesk audit findings\n  insightdesk audit findings --all --json\n  insightdesk audit findings close 'R11|alice|TRAP|494971' --reason 'a drill'"
    )]
    Findings(findings::Arguments),
    /// Verify the whole log, from its first entry on
    #[command(
        after_help = "Without FILE the log is fetched from the control plane and verified here. Two answers are given: integrity (is what is there what was written?) and completeness (is all there that was written?). Keys, mark and anchors that lie elsewhere are what makes the answers worth something: of the state folder's own log they are found by themselves.\n\nExit code 1 when something is wrong; with --strict also when something cannot be known.\n\nExamples:\n  insightdesk audit verify\n  insightdesk audit export > log.jsonl && insightdesk audit verify log.jsonl\n  insightdesk audit verify log.jsonl --key-file audit.pub --anchors /mnt/other/anchors --strict"
    )]
    Verify(verify::Arguments),
    /// Write the whole log to standard output, one JSON line each
    #[command(after_help = "Examples:\n  insightdesk audit export > audit-$(date +%F).jsonl")]
    Export,
    /// Bring files of another system into the log
    #[command(
        after_help = "Who asked AWS Secrets Manager for what is judged as reads of our own are. Values are not taken over. A file may be brought again: its events are known by their ids.\n\nExamples:\n  insightdesk audit import cloudtrail 123456789012_CloudTrail_eu-central-1_*.json.gz"
    )]
    Import(import::Arguments),
    /// Show the proof that an entry is in the log
    #[command(
        after_help = "Keep it: it shows the entry to whoever has the log's public key, whatever becomes of the log.\n\nExamples:\n  insightdesk audit receipt 812 > receipt.json\n  insightdesk audit receipt --check receipt.json"
    )]
    Receipt(ReceiptArguments),
    /// Have another key sign the log from now on
    #[command(
        after_help = "The old key says in the log which one follows it, and is then deleted. Who verifies still needs the first key only: audit.pub.\n\nExamples:\n  insightdesk audit rotate-key"
    )]
    RotateKey,
}

/// Arguments of `audit receipt`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReceiptArguments {
    /// Number of the entry
    #[arg(required_unless_present = "check", conflicts_with = "check")]
    entry: Option<u64>,
    /// Check a receipt offline instead
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    #[command(flatten)]
    keys: trust::Keys,
}

pub(super) async fn run(globals: &Globals, command: &Command) -> Result {
    match command {
        Command::List(arguments) => list::run(globals, arguments).await,
        Command::Findings(arguments) => findings::run(globals, arguments).await,
        Command::Verify(arguments) => verify::run(globals, arguments).await,
        Command::Export => export(globals).await,
        Command::Import(arguments) => import::run(globals, arguments).await,
        Command::Receipt(arguments) => receipt(globals, arguments).await,
        Command::RotateKey => rotate_key(globals).await,
    }
}

async fn export(globals: &Globals) -> Result {
    let mut pieces = std::pin::pin!(Client::find(globals)?.download("/api/audit/export").await?);
    let mut out = std::io::stdout().lock();
    while let Some(piece) = pieces.next().await {
        if let Err(error) = out.write_all(&piece?) {
            return Err(Failure::problems(format!("could not write to standard output: {error}")));
        }
    }
    out.flush().map_err(|error| Failure::problems(format!("could not write to standard output: {error}")))
}

async fn rotate_key(globals: &Globals) -> Result {
    let answer: serde_json::Value =
        Client::find(globals)?.post("/api/audit/rotate-key", &serde_json::json!({})).await?;
    if globals.json {
        return output::json(&answer);
    }
    output::say(&format!("the log is signed by {} from now on", answer["key"].as_str().unwrap_or_default()));
    Ok(())
}

async fn receipt(globals: &Globals, arguments: &ReceiptArguments) -> Result {
    let Some(file) = &arguments.check else {
        let entry = arguments.entry.unwrap_or_default();
        let receipt: serde_json::Value =
            Client::find(globals)?.get(&format!("/api/audit/{entry}/receipt")).await?;
        return output::json(&receipt);
    };
    let text = std::fs::read(file)
        .map_err(|error| Failure::usage(format!("could not read {}: {error}", file.display())))?;
    let keys = arguments.keys.read(globals)?;
    let Some(origin) = keys.first().map(|key| key.id().name.clone()) else {
        return Err(Failure::usage(
            "a receipt is checked with the log's public key: add --key or --key-file",
        ));
    };
    let receipt =
        ops_audit::receipt::Receipt::parse(&text).map_err(|error| Failure::problems(error.to_string()))?;
    let checkpoint = receipt
        .verify(&origin, &keys)
        .map_err(|error| Failure::problems(format!("the receipt proves nothing: {error}")))?;
    output::say(&format!(
        "entry {} is in the log {origin}, which had {} entries on {}",
        receipt.seq,
        checkpoint.size,
        super::words::moment(ops_contract::Timestamp(checkpoint.time_ms * 1_000))
    ));
    Ok(())
}
