use std::collections::BTreeMap;

use ops_contract::AuditEntry;

use super::access::{Access, Verb};
use crate::secrets::SecretRead;

/// A successful read that an entry tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadBy<'a> {
    /// All names of whoever read: `userpass-alice` is `alice` too.
    pub names: Vec<&'a str>,
    /// What was read.
    pub secret: &'a str,
    /// When, and the entry.
    pub read: SecretRead,
}

/// The successful read of a secret that an entry tells of, ours or of another system.
pub fn read_of(entry: &AuditEntry) -> Option<ReadBy<'_>> {
    let access = Access::of(entry)?;
    let is_read = access.is_named() && access.verb == Verb::Read && access.reached_a_secret();
    if !is_read || access.is_request {
        return None;
    }
    let read = SecretRead { at: access.at, seq: access.seq };
    Some(ReadBy { secret: access.secret, read, names: access.names })
}

/// A person's last successful read of each secret, from entries in any order, ours and those of other systems. Under
/// which name they read does not matter: `userpass-alice` is `alice`.
pub fn last_reads<'a>(
    person: &str,
    entries: impl IntoIterator<Item = &'a AuditEntry>,
) -> BTreeMap<String, SecretRead> {
    let mut reads: BTreeMap<String, SecretRead> = BTreeMap::new();
    for it in entries.into_iter().filter_map(read_of).filter(|it| it.names.contains(&person)) {
        let last = reads.entry(it.secret.to_owned()).or_insert(it.read);
        if (last.at, last.seq) < (it.read.at, it.read.seq) {
            *last = it.read;
        }
    }
    reads
}
