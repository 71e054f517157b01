//! What is remembered of one principal, and the rules that compare with it.

use ops_contract::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::Access;
use super::found::Found;
use super::hours::Hours;
use super::recent::Recent;
use super::spread::Spread;
use super::travel::Travel;
use super::volume::Volume;
use super::world::World;
use super::{first_network, first_seen};

/// What one principal is used to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Principal {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    /// When it reached which secret last.
    pub(super) secrets: Recent,
    /// When it came from which network last.
    pub(super) networks: Recent,
    spread: Spread,
    volume: Volume,
    hours: Hours,
    travel: Travel,
}

impl Principal {
    pub(super) fn new(at: Timestamp) -> Self {
        Self { first: at, last: at, ..Self::default() }
    }

    /// Whether it is still being learnt what this principal is used to.
    pub(super) fn is_learning(&self, at: Timestamp, world: &World<'_>) -> bool {
        at.since(self.first) < world.spec.learning
    }

    /// Judges an access that succeeded by what came before, and remembers it.
    pub(super) fn observe(&mut self, access: &Access<'_>, world: &World<'_>) -> Vec<Found> {
        self.first = self.first.min(access.at);
        self.last = self.last.max(access.at);
        let found = [
            first_seen::judge(self, access, world),
            first_network::judge(self, access, world),
            self.spread.judge(access, world),
            self.volume.judge(access, world),
            self.hours.judge(access, world),
            self.travel.judge(access),
        ];
        found.into_iter().flatten().collect()
    }
}
