//! R7: a principal reaches, or is refused, a secret that it may not have, whatever the store thinks.

use ops_contract::FindingSeverity;

use super::access::{Access, Verb};
use super::found::Found;
use super::world::World;

pub(super) fn judge(access: &Access<'_>, world: &World<'_>) -> Option<Found> {
    let spec = world.secrets.get(access.secret)?;
    if !matches!(access.verb, Verb::Read | Verb::Write) {
        return None;
    }
    // What another system calls a role is not ours.
    let is_admin = access.device.is_none() && access.detail("role") == Some("admin");
    let is_reader = spec.readers.iter().any(|it| access.names.contains(&it.as_str()));
    if is_admin || is_reader || world.is_consumer(&access.names, access.secret) {
        return None;
    }
    let (who, secret) = (access.principal, access.secret);
    if access.is_allowed() {
        let done = if access.verb == Verb::Read { "read" } else { "changed" };
        let summary = format!("{who} {done} {secret} and is neither a consumer nor a reader of it");
        return Some(Found::declared("R7", "allowed", FindingSeverity::Critical, summary));
    }
    if !access.is_denied() {
        return None;
    }
    let severity = if spec.tier == 0 { FindingSeverity::Critical } else { FindingSeverity::Warning };
    let summary =
        format!("{who} tried to reach {secret}, is neither a consumer nor a reader of it, and was refused");
    Some(Found::declared("R7", "denied", severity, summary))
}
