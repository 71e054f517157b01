use std::collections::BTreeMap;

use ops_contract::AuditEntry;

use super::access::{Access, Verb};
use crate::secrets::SecretRead;

/// A person's last successful read of each secret, from entries in any order, ours and those of other systems. Under
/// which name they read does not matter: `userpass-alice` is `alice`.
pub fn last_reads<'a>(
    person: &str,
    entries: impl IntoIterator<Item = &'a AuditEntry>,
) -> BTreeMap<String, SecretRead> {
    let mut reads: BTreeMap<String, SecretRead> = BTreeMap::new();
    for access in entries.into_iter().filter_map(Access::of) {
        let is_theirs = access.is_named() && access.names.contains(&person);
        if !is_theirs || access.is_request || access.verb != Verb::Read || !access.reached_a_secret() {
            continue;
        }
        let this = SecretRead { at: access.at, seq: access.seq };
        let last = reads.entry(access.secret.to_owned()).or_insert(this);
        if (last.at, last.seq) < (this.at, this.seq) {
            *last = this;
        }
    }
    reads
}
