//! Measures how long it takes to verify the export of a log.
//!
//! `cargo run --release -p ops-audit --example verify_million [entries]`: makes an export in memory (1,000,000 entries,
//! a checkpoint each 1,000), then parses and verifies it in pieces of 64 KiB as a file would be read.
// The crate reads no clock; this measures it from outside.
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

use ops_audit::chain::Head;
use ops_audit::entry::{Actor, ActorKind, Draft, Outcome, Source};
use ops_audit::export::{End, Header, Line, Row};
use ops_audit::key::{LocalKey, Signer as _};
use ops_audit::verify::{Trust, Verifier};

const ORIGIN: &str = "ops.example.com/audit";
const START_MS: i64 = 1_700_000_000_000;

fn draft(number: u64) -> Draft {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&number.to_be_bytes());
    Draft {
        salt,
        actor: Actor {
            kind: ActorKind::Service,
            name: format!("api-{}", number % 50),
            via: Some(format!("token-{number:016x}")),
            address: Some("10.1.2.3:40112".to_owned()),
        },
        action: "secret.read".to_owned(),
        subject: format!("database_url_{}", number % 40),
        purpose: Some("connect at start".to_owned()),
        outcome: Outcome::Allowed,
        source: Source::Own,
        details: BTreeMap::from([
            ("store".to_owned(), "vault".to_owned()),
            ("version".to_owned(), "12".to_owned()),
            ("request".to_owned(), format!("{number:032x}")),
        ]),
    }
}

/// The export, and how many seconds appending and signing took.
fn export(entries: u64, key: &LocalKey) -> Result<(String, f64), Box<dyn std::error::Error>> {
    let mut head = Head::new(ORIGIN)?;
    let mut text = String::new();
    let mut seconds = 0.0;
    let exported_ms = START_MS + i64::try_from(entries)? * 10;
    writeln!(text, "{}", Line::Header(Header::new(ORIGIN, vec![key.public().clone()], exported_ms)))?;
    for number in 0..entries {
        let now_ms = START_MS + i64::try_from(number)? * 10;
        let draft = draft(number);
        let begun = Instant::now();
        let appended = head.append(draft, now_ms)?;
        let seal = (number + 1) % 1000 == 0 || number + 1 == entries;
        let signed = seal.then(|| head.checkpoint(now_ms).sign(key)).transpose()?;
        seconds += begun.elapsed().as_secs_f64();
        let row = Row::stored(number, appended.leaf, appended.link, Some(&appended.bytes));
        writeln!(text, "{}", Line::Row(row))?;
        if let Some(signed) = signed {
            writeln!(text, "{}", Line::Checkpoint(signed.to_string()))?;
        }
    }
    writeln!(text, "{}", Line::End(End { entries }))?;
    Ok((text, seconds))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let entries = std::env::args().nth(1).map_or(Ok(1_000_000), |count| count.parse())?;
    let key = LocalKey::from_seed(ORIGIN, &[1; 32])?;
    let (text, appending) = export(entries, &key)?;
    println!("{entries} entries, {} MB; appended and sealed in {appending:.2} s", text.len() / 1_000_000);
    for round in 1..=3 {
        let begun = Instant::now();
        let trust =
            Trust { origin: Some(ORIGIN.to_owned()), keys: vec![key.public().clone()], ..Trust::default() };
        let mut verifier = Verifier::of_export(trust);
        for chunk in text.as_bytes().chunks(64 * 1024) {
            verifier.feed(chunk);
        }
        let verdict = verifier.finish();
        println!(
            "round {round}: {:.2} s, integrity {:?}, completeness {:?}, {} entries sealed by {} checkpoints",
            begun.elapsed().as_secs_f64(),
            verdict.integrity,
            verdict.completeness,
            verdict.sealed,
            verdict.checkpoints
        );
    }
    Ok(())
}
