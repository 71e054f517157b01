//! R8: an application role logs in anew although nothing of it was deployed. Programs take their role's secret id when
//! they start; used at another time it was taken by somebody else.

use std::time::Duration;

use ops_contract::{FindingSeverity, Timestamp};
use serde::{Deserialize, Serialize};

use super::access::{Access, Verb};
use super::found::Found;
use super::limits::ROLES;
use super::recent::Recent;
use super::world::World;

/// A program that logged in from the same network so short ago renews its token.
const RENEWS: Duration = Duration::from_secs(86_400);

/// When each role logged in last, by role and network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Roles(Recent);

impl Roles {
    pub(super) fn judge(&mut self, access: &Access<'_>, world: &World<'_>) -> Option<Found> {
        let is_role = access.subject().contains("approle/") || access.principal.starts_with("approle");
        if access.verb != Verb::Login || !access.is_allowed() || !is_role {
            return None;
        }
        let who = access.detail("role_name").unwrap_or(access.principal);
        let network = access.network.map(|it| it.to_string()).unwrap_or_default();
        let before: Option<Timestamp> = self.0.touch(&format!("{who}|{network}"), access.at, ROLES);
        let renews = before.is_some_and(|it| access.at.since(it) <= RENEWS);
        if world.deploys.is_none() || renews || world.is_changing(&access.names, access.at) {
            return None;
        }
        let summary = format!("the role {who} logged in, and no deploy of it was under way");
        Some(Found::declared("R8", "role", FindingSeverity::Warning, summary).about_none())
    }
}
