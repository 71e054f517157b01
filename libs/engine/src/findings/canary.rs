//! R11: a secret that nothing uses is read.

use ops_contract::{AuditOutcome, FindingSeverity};

use super::access::{Access, Verb};
use super::found::Found;
use super::world::World;

pub(super) fn judge(access: &Access<'_>, world: &World<'_>) -> Option<Found> {
    let is_canary = world.secrets.get(access.secret).is_some_and(|it| it.canary);
    (is_canary && access.verb == Verb::Read).then(|| {
        let how = match access.outcome {
            AuditOutcome::Allowed => "",
            AuditOutcome::Denied => ", and was refused",
            AuditOutcome::Failed => ", which failed",
        };
        let (who, secret) = (access.principal, access.secret);
        let summary = format!("{who} read {secret}, a trap that nothing uses{how}");
        Found::declared("R11", "", FindingSeverity::Critical, summary)
    })
}
