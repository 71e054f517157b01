//! R2: a principal comes from a network that it has not come from before, or a program from one that is not declared.

use ops_contract::FindingSeverity;

use super::access::{Access, Who};
use super::first_seen::span;
use super::found::Found;
use super::limits::NETWORKS_EACH;
use super::network::contains;
use super::principal::Principal;
use super::world::World;

pub(super) fn judge(principal: &mut Principal, access: &Access<'_>, world: &World<'_>) -> Option<Found> {
    let (address, network) = (access.address?, access.network?);
    let is_first = principal.networks.is_empty();
    let before = principal.networks.touch(&network.to_string(), access.at, NETWORKS_EACH);
    let declared = &world.spec.service_networks;
    let is_program = access.who == Who::Program || world.is_consumer(&access.names, access.secret);
    let who = access.principal;
    if is_program && !declared.is_empty() {
        let is_inside = declared.iter().any(|it| contains(it, address));
        // A declaration needs no learning.
        let told = || format!("{who} came from {address}, which is in none of service_networks");
        return (!is_inside)
            .then(|| Found::declared("R2", "declared", FindingSeverity::Critical, told()).about_none());
    }
    let is_known = before.is_some_and(|seen| access.at.since(seen) <= world.spec.memory);
    // There is nothing to compare the very first network with.
    if is_known || is_first {
        return None;
    }
    let span = span(world.spec.memory);
    let summary = format!("{who} came from the network {network} for the first time in {span}");
    Some(Found::by_habit("R2", FindingSeverity::Warning, summary).about_none())
}
