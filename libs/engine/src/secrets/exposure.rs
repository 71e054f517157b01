use std::collections::BTreeMap;

use ops_contract::{DepartureWork, SecretSpec, Timestamp};

use super::calendar::date;

/// What is asked and known when somebody leaves.
#[derive(Clone, Copy, Debug)]
pub struct Exposure<'a> {
    /// Who leaves, by the name in the audit log and in `owner`.
    pub person: &'a str,
    /// When they left.
    pub left_at: Timestamp,
    /// The inventory.
    pub secrets: &'a BTreeMap<String, SecretSpec>,
    /// Their last successful read of each secret, also when it was after they left; see
    /// [`last_reads`](crate::findings::last_reads).
    pub reads: &'a BTreeMap<String, SecretRead>,
    /// When each secret's value was replaced by another, in any order; a renewal to the same value is none.
    pub rotations: &'a BTreeMap<String, Vec<Timestamp>>,
}

/// A successful read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretRead {
    /// When.
    pub at: Timestamp,
    /// Its entry in the audit log.
    pub seq: u64,
}

/// What a person who left could know: every secret that they read since the value was last replaced before they left,
/// or read after they left, and every secret that they own. The most dangerous first.
///
/// A piece of work is closed by the first renewal after they left and after their last read.
pub fn exposure(asked: &Exposure<'_>) -> Vec<DepartureWork> {
    let mut work: Vec<DepartureWork> =
        asked.secrets.iter().filter_map(|(name, spec)| of_one(asked, name, spec)).collect();
    // What they read and the inventory does not name is known all the same.
    let unnamed = asked.reads.keys().filter(|name| !asked.secrets.contains_key(*name));
    work.extend(unnamed.filter_map(|name| {
        let (read, why) = read_in_force(asked, name)?;
        Some(piece(asked, name, 1, format!("{why}, is not in the inventory"), Some(read)))
    }));
    work.sort_by(|a, b| (a.tier, &a.secret).cmp(&(b.tier, &b.secret)));
    work
}

fn of_one(asked: &Exposure<'_>, name: &str, spec: &SecretSpec) -> Option<DepartureWork> {
    let is_owner = spec.owner.as_deref() == Some(asked.person);
    let (read, why) = match read_in_force(asked, name) {
        Some((read, why)) if is_owner => (Some(read), format!("{why}, is its owner")),
        Some((read, why)) => (Some(read), why),
        None if is_owner => (None, "is its owner".to_owned()),
        None => return None,
    };
    Some(piece(asked, name, spec.tier, why, read))
}

/// The last read of a value that was in force when they left, or later.
fn read_in_force(asked: &Exposure<'_>, name: &str) -> Option<(SecretRead, String)> {
    let rotations = asked.rotations.get(name).map_or(&[][..], Vec::as_slice);
    let in_force_since = rotations.iter().filter(|it| **it <= asked.left_at).max();
    let last = asked.reads.get(name)?;
    if in_force_since.is_some_and(|since| last.at < *since) {
        return None;
    }
    Some((*last, format!("read on {} (audit entry {})", date(last.at), last.seq)))
}

fn piece(
    asked: &Exposure<'_>,
    name: &str,
    tier: u8,
    why: String,
    last_read: Option<SecretRead>,
) -> DepartureWork {
    let known_until = last_read.map_or(asked.left_at, |it| it.at.max(asked.left_at));
    let rotations = asked.rotations.get(name).map_or(&[][..], Vec::as_slice);
    let closed_at = rotations.iter().copied().filter(|it| *it > known_until).min();
    DepartureWork { secret: name.to_owned(), tier, why, closed_at }
}

#[cfg(test)]
#[path = "exposure_tests.rs"]
mod tests;
