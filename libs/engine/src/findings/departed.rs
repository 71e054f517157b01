//! R8: somebody who left still comes.

use ops_contract::FindingSeverity;

use super::access::{Access, Verb};
use super::found::Found;
use super::world::World;

pub(super) fn judge(access: &Access<'_>, world: &World<'_>) -> Option<Found> {
    if access.verb == Verb::Other {
        return None;
    }
    let left = access.names.iter().filter_map(|name| world.departed.get(*name)).min()?;
    if access.at <= *left {
        return None;
    }
    let days = access.at.since(*left).as_secs() / 86_400;
    let done = match access.verb {
        Verb::Read => "read",
        Verb::Write => "changed",
        Verb::Login | Verb::Other => "logged in for",
    };
    let secret = if access.secret.is_empty() { "nothing in particular" } else { access.secret };
    let (severity, how) = match access.is_allowed() {
        true => (FindingSeverity::Critical, "succeeded"),
        false => (FindingSeverity::Warning, "did not succeed"),
    };
    let who = access.principal;
    let summary = format!("{who} left {days} days ago; somebody with that name {done} {secret} and {how}");
    let judgement = if access.is_allowed() { "departed" } else { "departed-denied" };
    Some(Found::declared("R8", judgement, severity, summary))
}
