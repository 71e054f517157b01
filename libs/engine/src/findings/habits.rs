//! All that is remembered between two entries.

use std::collections::BTreeMap;

use ops_contract::Timestamp;
use serde::{Deserialize, Serialize};

use super::denied::Denied;
use super::device::Devices;
use super::limits::PRINCIPALS;
use super::principal::Principal;
use super::recent::Newest;
use super::token::Tokens;
use super::unused_role::Roles;
use super::values::Values;
use super::world::World;

/// What principals are used to, and what is under way. The caller owns it, keeps it (it is plain data) and passes it
/// in; without it, habits are learnt again from old entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Habits {
    pub(super) next: u64,
    pub(super) principals: BTreeMap<String, Principal>,
    pub(super) denied: Denied,
    pub(super) tokens: Tokens,
    pub(super) roles: Roles,
    pub(super) devices: Devices,
    pub(super) values: Values,
    /// Requests that were judged, by id.
    pub(super) judged: Newest,
}

impl Habits {
    /// The number of the entry to go on with: those before have been observed, and are passed over.
    pub fn next_seq(&self) -> u64 {
        self.next
    }

    /// What is known of the secrets' values without having seen them.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// How many principals are remembered.
    pub fn principals(&self) -> usize {
        self.principals.len()
    }

    /// What is remembered of a principal, which is new when nothing is.
    pub(super) fn principal(&mut self, name: &str, at: Timestamp, world: &World<'_>) -> &mut Principal {
        if !self.principals.contains_key(name) {
            self.make_room(at, world);
        }
        self.principals.entry(name.to_owned()).or_insert_with(|| Principal::new(at))
    }

    fn make_room(&mut self, at: Timestamp, world: &World<'_>) {
        while self.principals.len() >= PRINCIPALS {
            let rank = |it: &Principal| (!it.is_learning(at, world), it.last);
            let least = self.principals.iter().min_by_key(|(_, it)| rank(it)).map(|(name, _)| name.clone());
            let Some(name) = least else { return };
            self.principals.remove(&name);
        }
    }
}
