//! What PagerDuty says to us by its webhooks of version 3: that somebody acknowledged there.

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use super::super::settings::Secret;
use super::super::{Heard, NotHeard};

/// Most signatures that are looked at: PagerDuty sends one for each secret while one replaces the other.
const MOST: usize = 10;
/// Longest name of a person in characters.
const LONGEST: usize = 100;

#[derive(Deserialize)]
struct Body {
    event: Event,
}

#[derive(Deserialize)]
struct Event {
    event_type: String,
    agent: Option<Agent>,
    #[serde(default)]
    data: Data,
}

#[derive(Deserialize)]
struct Agent {
    summary: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    /// The key under which the incident was opened: the id of an alert of ours.
    incident_key: Option<String>,
}

/// `signatures`: `v1=` and HMAC-SHA256 over the body in hexadecimal digits, several with commas.
pub(super) fn hear(secrets: &[Secret], signatures: &str, body: &[u8]) -> Result<Vec<Heard>, NotHeard> {
    if secrets.is_empty() {
        return Err(NotHeard::Deaf);
    }
    let given: Vec<Vec<u8>> = signatures.split(',').take(MOST).filter_map(signature).collect();
    let mut is_signed = false;
    for secret in secrets {
        let secret = secret.get().map_err(NotHeard::NoSecret)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.trim().as_bytes())
            .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
        mac.update(body);
        is_signed |= given.iter().any(|it| mac.clone().verify_slice(it).is_ok());
    }
    if !is_signed {
        return Err(NotHeard::Unsigned);
    }
    let body: Body = serde_json::from_slice(body).map_err(|error| NotHeard::Unreadable(error.to_string()))?;
    let acknowledged = match body.event.event_type.as_str() {
        "incident.acknowledged" => true,
        "incident.unacknowledged" => false,
        // That something ended we see for ourselves.
        _ => return Ok(Vec::new()),
    };
    let who = body.event.agent.and_then(|it| it.summary).unwrap_or_default();
    let who: String = who.chars().filter(|it| !it.is_control()).take(LONGEST).collect();
    let by = if who.trim().is_empty() { "somebody".to_owned() } else { who.trim().to_owned() };
    let heard = body.event.data.incident_key.map(|alert| Heard { alert, by, acknowledged });
    Ok(heard.into_iter().collect())
}

fn signature(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim().strip_prefix("v1=")?;
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    (0..64).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sign(secret: &str, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body);
        let digits: String = mac.finalize().into_bytes().iter().map(|it| format!("{it:02x}")).collect();
        format!("v1={digits}")
    }

    fn event(kind: &str) -> Vec<u8> {
        format!(
            r#"{{"event": {{"id": "5ac6", "event_type": "{kind}", "resource_type": "incident",
                "agent": {{"id": "PXPGF42", "summary": "Ann", "type": "user_reference"}},
                "data": {{"id": "PGR0VU2", "type": "incident", "incident_key": "0196a1"}}}}}}"#
        )
        .into_bytes()
    }

    #[test]
    fn who_acknowledges_there_is_heard_here_under_both_secrets() {
        let secrets = [Secret::new("new"), Secret::new("old")];
        for (kind, acknowledged) in [("incident.acknowledged", true), ("incident.unacknowledged", false)] {
            let body = event(kind);
            let signatures = format!("v1=00,{}", sign("old", &body));
            let heard = hear(&secrets, &signatures, &body).unwrap();
            assert_eq!(heard, [Heard { alert: "0196a1".to_owned(), by: "Ann".to_owned(), acknowledged }]);
        }
        let body = event("incident.resolved");
        assert_eq!(hear(&secrets, &sign("new", &body), &body), Ok(Vec::new()));
    }

    #[test]
    fn what_is_not_signed_is_not_heard() {
        let body = event("incident.acknowledged");
        let secrets = [Secret::new("new")];
        for wrong in ["", "v1=", "v1=zz", &sign("other", &body), &sign("new", &body)[3..], &"é".repeat(64)] {
            assert_eq!(hear(&secrets, wrong, &body), Err(NotHeard::Unsigned), "{wrong}");
        }
        let changed = event("incident.unacknowledged");
        assert_eq!(hear(&secrets, &sign("new", &body), &changed), Err(NotHeard::Unsigned));
        assert_eq!(hear(&[], &sign("new", &body), &body), Err(NotHeard::Deaf));
        let unset = [Secret::new("${NOT_SET}")];
        assert!(matches!(hear(&unset, &sign("new", &body), &body), Err(NotHeard::NoSecret(_))));
        for rubbish in ["", "{}", "[]", "{\"event\": 1}", "{\"event\": {\"event_type\": 1}}"] {
            let signed = sign("new", rubbish.as_bytes());
            let heard = hear(&secrets, &signed, rubbish.as_bytes());
            assert!(matches!(heard, Err(NotHeard::Unreadable(_))), "{rubbish}: {heard:?}");
        }
    }
}
