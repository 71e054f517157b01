//! R1: a principal reaches a secret that it has not reached for as long as habits are remembered.

use std::time::Duration;

use ops_contract::FindingSeverity;

use super::access::Access;
use super::found::Found;
use super::limits::SECRETS_EACH;
use super::principal::Principal;
use super::world::World;

pub(super) fn judge(principal: &mut Principal, access: &Access<'_>, world: &World<'_>) -> Option<Found> {
    if !access.reached_a_secret() {
        return None;
    }
    let before = principal.secrets.touch(access.secret, access.at, SECRETS_EACH);
    let is_known = before.is_some_and(|seen| access.at.since(seen) <= world.spec.memory);
    // A deploy gives a program new secrets; that is what it is for.
    if is_known || world.is_changing(&access.names, access.at) {
        return None;
    }
    let severity = match world.is_tier_0(access.secret) {
        true => FindingSeverity::Critical,
        false => FindingSeverity::Warning,
    };
    let span = span(world.spec.memory);
    let summary = format!("{} reached {} for the first time in {span}", access.principal, access.secret);
    Some(Found::by_habit("R1", severity, summary))
}

/// `30 days`, for sentences.
pub(super) fn span(span: Duration) -> String {
    let (seconds, days) = (span.as_secs(), span.as_secs() / 86_400);
    match seconds {
        _ if days > 1 => format!("{days} days"),
        7_200.. => format!("{} hours", seconds / 3_600),
        120.. => format!("{} minutes", seconds / 60),
        _ => format!("{seconds} seconds"),
    }
}
