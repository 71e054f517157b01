//! R8: one token used from two networks within a minute.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::{FindingSeverity, Timestamp};
use serde::{Deserialize, Serialize};

use super::access::Access;
use super::found::Found;
use super::limits::TOKENS;
use super::network::Network;
use super::recent::{apart, make_room};

const SPAN: Duration = Duration::from_secs(60);

/// From where each token was used last. A token is known by its keyed hash, which means something within one device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Tokens(BTreeMap<String, Use>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Use {
    at: Timestamp,
    seq: u64,
    network: Network,
}

impl Tokens {
    pub(super) fn judge(&mut self, access: &Access<'_>) -> Option<Found> {
        let (network, token) = (access.network?, access.detail("token_hmac")?);
        let token = format!("{}|{token}", access.device.unwrap_or_default());
        let this = Use { at: access.at, seq: access.seq, network };
        let Some(before) = self.0.get_mut(&token).map(|it| std::mem::replace(it, this)) else {
            make_room(&mut self.0, TOKENS, |it| it.at);
            self.0.insert(token, this);
            return None;
        };
        let apart = apart(this.at, before.at);
        (before.network != network && apart < SPAN).then(|| {
            let summary = format!(
                "one token of {} was used from {} and from {network} within {} s",
                access.principal,
                before.network,
                apart.as_secs()
            );
            let found = Found::declared("R8", "token", FindingSeverity::Critical, summary);
            found.about_none().shown_by(vec![before.seq])
        })
    }

    /// Forgets what can no longer be compared with.
    pub(super) fn tidy(&mut self, now: Timestamp) {
        self.0.retain(|_, it| now.since(it.at) < SPAN);
    }
}
