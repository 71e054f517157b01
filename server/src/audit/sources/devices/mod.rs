//! What an audit device of OpenBao or Vault tells, as entries of our log.
//!
//! A device writes one JSON line for a request and one for its response. Strings of secrets stand there as keyed hashes;
//! numbers and truth values stand there in clear, and on a device with `log_raw` everything does. Nothing of what was sent or
//! answered is taken over but hashes that have the form of one ([`values`]), so that no value gets into the log whatever a
//! device writes; which fields were in clear is told by name.
//!
//! What the details are called is what `ops_engine::findings` reads.

mod line;
mod places;
mod values;

#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
pub(super) mod samples;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use ops_audit::entry::{Actor, ActorKind, Draft, Outcome};
use sha2::{Digest, Sha256};

use crate::audit::Entry;

use line::{Kind, Line};
pub(crate) use places::Places;
use places::{Held, Target};
use values::Shown;
pub(crate) use values::hex;

/// Longest id of a request that is taken as it is; a UUID has 36 bytes.
const LONGEST_ID: usize = 100;
/// Where a device that is being switched on is tried out.
const TEST_PATH: &str = "sys/audit/test";
/// Most policies that are named, and most fields in clear.
const NAMED: usize = 20;

/// A line that no device writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no audit entry of OpenBao or Vault: a JSON object with type, auth and request")]
pub(crate) struct Rubbish;

/// A line, read.
pub(crate) struct Told {
    /// At least one.
    pub(crate) drafts: Vec<Draft>,
    /// Whether the device showed values in clear.
    pub(crate) in_clear: bool,
}

/// Reads a line of `device`.
pub(crate) fn read(device: &str, text: &[u8], places: &Places) -> Result<Told, Rubbish> {
    let line: Line = serde_json::from_slice(text).map_err(|_| Rubbish)?;
    if line.request.path() == TEST_PATH && line.principal().is_none() {
        let event = format!("{}:test", id(&line, text));
        // Without a phase: no answer to it is waited for.
        let entry = Entry::new(nobody(), "vault.device_test", device).told_by(device, &event);
        return Ok(Told { drafts: vec![with_time(entry, &line).draft()], in_clear: false });
    }
    let target = places.find(line.request.namespace(), line.request.path(), line.request.operation());
    let shown = values::shown(&line, &target);
    let (outcome, error) = outcome(&line, &shown);
    let of_line = Common { device, id: id(&line, text), line: &line, shown: &shown, outcome, error };
    let entries = of_line.entries(&target);
    let drafts = entries.into_iter().map(Entry::draft).collect();
    Ok(Told { drafts, in_clear: !shown.in_clear.is_empty() })
}

/// What all entries of a line have in common.
struct Common<'a> {
    device: &'a str,
    id: String,
    line: &'a Line,
    shown: &'a Shown,
    outcome: Outcome,
    error: Option<&'static str>,
}

impl Common<'_> {
    /// One entry for each secret that was got or changed; one for the most dangerous of them when none was.
    fn entries(&self, target: &Target<'_>) -> Vec<Entry> {
        let path = self.line.request.path();
        let action = format!("vault.{}", target.verb);
        let is_done = self.line.kind == Kind::Response && self.outcome == Outcome::Allowed;
        let reached: Vec<&Held> = match is_done {
            true => target.secrets.iter().filter(|it| self.shown.reaches(&it.field)).collect(),
            false => target.secrets.iter().take(1).collect(),
        };
        if reached.is_empty() {
            return vec![self.entry(&action, path, "")];
        }
        let entries = reached.iter().enumerate().map(|(index, held)| {
            // A request counts once by its id: what else it reached counts under one of its own.
            let suffix = if index == 0 { String::new() } else { format!("/{}", held.name) };
            let mut entry = self.entry(&action, &held.name, &suffix).detail("path", path);
            if let Some(hmac) = self.shown.hmacs.get(&held.field) {
                entry = entry.detail("value_hmac", hmac.clone());
            }
            if !is_done && target.secrets.len() > 1 {
                let all: Vec<&str> = target.secrets.iter().map(|it| it.name.as_str()).take(NAMED).collect();
                entry = entry.detail("secrets", all.join(","));
            }
            entry
        });
        entries.collect()
    }

    fn entry(&self, action: &str, subject: &str, suffix: &str) -> Entry {
        let line = self.line;
        let request_id = format!("{}{suffix}", self.id);
        let phase = line.kind.word();
        let actor = Actor { name: line.principal().unwrap_or("unknown").to_owned(), ..nobody() };
        let actor = Actor { address: line.request.address().map(|it: IpAddr| it.to_string()), ..actor };
        let mut entry = Entry::new(actor, action, subject)
            .told_by(self.device, &format!("{}:{phase}{suffix}", self.id))
            .outcome(self.outcome)
            .detail("phase", phase)
            .detail("request_id", request_id)
            .detail("error", self.error.unwrap_or_default())
            .detail("version", self.shown.version.map(|it| it.to_string()).unwrap_or_default())
            .detail("fields", self.shown.fields().map(|it| it.to_string()).unwrap_or_default())
            .detail("mount", line.request.mount())
            .detail("namespace", line.request.namespace())
            .detail("entity", line.entity())
            .detail("username", line.username())
            .detail("role_name", line.role_name())
            .detail("policies", line.policies(NAMED))
            .detail("token_hmac", values::token(line).unwrap_or_default());
        if let (true, Some(hmac)) = (suffix.is_empty(), self.shown.only()) {
            entry = entry.detail("value_hmac", hmac);
        }
        if self.shown.is_wrapped {
            entry = entry.detail("wrapped", "true");
        }
        if !self.shown.in_clear.is_empty() {
            let names: Vec<&str> = self.shown.in_clear.iter().map(String::as_str).take(NAMED).collect();
            entry = entry.detail("clear_fields", names.join(","));
        }
        with_time(entry, line)
    }
}

fn with_time(entry: Entry, line: &Line) -> Entry {
    entry.detail("time_ms", line.time_ms().map(|it| it.to_string()).unwrap_or_default())
}

fn nobody() -> Actor {
    Actor { kind: ActorKind::External, name: "unknown".to_owned(), via: None, address: None }
}

/// How it ended, and why in words of ours: a store's own words may repeat what it was sent.
fn outcome(line: &Line, shown: &Shown) -> (Outcome, Option<&'static str>) {
    let said = line.error();
    let says = |words: &str| said.contains(words);
    if says("control group") || says("further approval") {
        return (Outcome::Failed, Some("waits for approval"));
    }
    if says("invalid credentials")
        || says("invalid role or secret ID")
        || says("invalid username or password")
    {
        return (Outcome::Denied, Some("invalid credentials"));
    }
    if says("permission denied") || line.is_forbidden() {
        return (Outcome::Denied, Some("permission denied"));
    }
    if !said.is_empty() {
        return (Outcome::Failed, Some("the store tells a fault"));
    }
    if line.kind == Kind::Request {
        return (Outcome::Allowed, None);
    }
    if shown.waits {
        return (Outcome::Failed, Some("waits for approval"));
    }
    if shown.is_missing {
        return (Outcome::Failed, Some("nothing lies there"));
    }
    (Outcome::Allowed, None)
}

/// The id of the request; of a line without a sensible one that of its bytes.
fn id(line: &Line, text: &[u8]) -> String {
    let id = line.request.id();
    let plain = !id.is_empty()
        && id.len() <= LONGEST_ID
        && id.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.'));
    if plain { id.to_owned() } else { values::hex(&Sha256::digest(text)) }
}
