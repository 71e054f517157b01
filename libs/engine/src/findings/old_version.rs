//! R8: a version of a secret is read that was replaced longer ago than its grace.

use std::time::Duration;

use ops_contract::FindingSeverity;

use super::access::{Access, Verb};
use super::first_seen::span;
use super::found::Found;
use super::values::Values;
use super::world::World;

/// For secrets that are not in the inventory.
const USUAL_GRACE: Duration = Duration::from_secs(86_400);

pub(super) fn judge(values: &Values, access: &Access<'_>, world: &World<'_>) -> Option<Found> {
    if access.verb != Verb::Read || !access.is_allowed() {
        return None;
    }
    let (version, known) = (access.version()?, values.of(access.secret)?);
    let newest = known.version.filter(|it| *it > version)?;
    let grace = world.secrets.get(access.secret).map_or(USUAL_GRACE, |it| it.grace);
    let old_for = access.at.since(known.version_since);
    (old_for > grace).then(|| {
        let summary = format!(
            "{} read version {version} of {}, which version {newest} replaced {} ago",
            access.principal,
            access.secret,
            span(old_for)
        );
        let found = Found::declared("R8", "version", FindingSeverity::Warning, summary);
        found.shown_by(vec![known.version_seq])
    })
}
