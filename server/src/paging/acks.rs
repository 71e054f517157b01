//! Links that acknowledge an incident with one click: signed, expiring, and used once.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use ops_contract::{Notification, NotificationStatus, Timestamp};
use sha2::Sha256;

use crate::{App, auth, store};

/// Under this name the store keeps the key.
const KEY: &str = "ack_key";
/// How long a link can be used.
const LIFE: Duration = Duration::from_hours(24);
/// Longest link that is looked at, in bytes.
const LONGEST: usize = 512;

/// What a link says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) incident: String,
    pub(crate) expires_at: Timestamp,
    /// Tells links apart: each works once.
    pub(crate) id: String,
}

/// The link for a notification that fires and belongs to an incident. Without a store there is none.
pub(super) async fn url(app: &App, note: &Notification, now: Timestamp) -> Option<String> {
    let incident = note.incident.as_ref().filter(|_| note.status == NotificationStatus::Firing)?;
    let key = key(app).await.ok()?;
    let expires = (now + LIFE).0 / 1_000_000;
    let claim = format!("{incident}~{expires}~{}", note.id);
    let sign = URL_SAFE_NO_PAD.encode(mac(&key, &claim).finalize().into_bytes());
    Some(format!("{}/ack/{}.{sign}", app.external_url, URL_SAFE_NO_PAD.encode(claim)))
}

/// What a link says; `None`: it is none of ours.
pub(crate) async fn read(app: &App, token: &str) -> anyhow::Result<Option<Link>> {
    let key = key(app).await?;
    Ok(check(&key, token))
}

fn check(key: &str, token: &str) -> Option<Link> {
    if token.len() > LONGEST {
        return None;
    }
    let (claim, sign) = token.split_once('.')?;
    let claim = String::from_utf8(URL_SAFE_NO_PAD.decode(claim).ok()?).ok()?;
    mac(key, &claim).verify_slice(&URL_SAFE_NO_PAD.decode(sign).ok()?).ok()?;
    let mut parts = claim.split('~');
    let (incident, expires, id) = (parts.next()?, parts.next()?, parts.next()?);
    let expires: i64 = expires.parse().ok()?;
    Some(Link {
        incident: incident.to_owned(),
        expires_at: Timestamp(expires.checked_mul(1_000_000)?),
        id: id.to_owned(),
    })
}

fn mac(key: &str, claim: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(claim.as_bytes());
    mac
}

/// The key; made when there is none. Of two servers that make one at once the first counts.
async fn key(app: &App) -> anyhow::Result<String> {
    if let Some(key) = app.paging.ack_key.get() {
        return Ok(key.clone());
    }
    let mut db = app.store.begin().await?;
    let known = store::meta::get(&mut db, KEY).await?;
    let key = match known {
        Some(key) => key,
        None => {
            store::meta::set(&mut db, KEY, &auth::random()).await?;
            store::meta::get(&mut db, KEY).await?.unwrap_or_default()
        }
    };
    db.commit().await?;
    Ok(app.paging.ack_key.get_or_init(|| key).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_was_touched_is_none() {
        let claim = "abc~1700000000~note";
        let sign = URL_SAFE_NO_PAD.encode(mac("key", claim).finalize().into_bytes());
        let token = format!("{}.{sign}", URL_SAFE_NO_PAD.encode(claim));
        let link = check("key", &token);
        let expected = Link {
            incident: "abc".to_owned(),
            expires_at: Timestamp(1_700_000_000_000_000),
            id: "note".to_owned(),
        };
        assert_eq!(link, Some(expected));
        assert_eq!(check("other", &token), None);
        let other = URL_SAFE_NO_PAD.encode("abd~1700000000~note");
        for wrong in ["", ".", "a.b", &format!("{other}.{sign}"), &token[1..], &"x".repeat(1_000)] {
            assert_eq!(check("key", wrong), None, "{wrong}");
        }
    }
}
