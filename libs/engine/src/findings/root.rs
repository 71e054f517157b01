//! R9: the root token of a store is used. It is meant for emergencies, and everybody is to know of each.

use ops_contract::FindingSeverity;

use super::access::Access;
use super::found::Found;

pub(super) fn judge(access: &Access<'_>) -> Option<Found> {
    access.device?;
    let has_root = |it: &str| it.split(',').any(|policy| policy.trim() == "root");
    let is_root = access.detail("display_name").unwrap_or(access.principal) == "root"
        || access.detail("policies").is_some_and(has_root);
    is_root.then(|| {
        let summary = format!(
            "{} used root rights in {} on {}",
            access.principal,
            access.device.unwrap_or_default(),
            access.subject()
        );
        Found::declared("R9", "", FindingSeverity::Critical, summary).about_none()
    })
}
