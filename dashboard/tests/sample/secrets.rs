//! Secrets for tests and pictures.

use std::time::Duration;

use ops_contract::*;

use super::incidents::HOSTILE;
use super::{NOW, ago};

const DAY: u64 = 86_400;

pub(crate) const STATES: [SecretState; 7] = [
    SecretState::Overdue,
    SecretState::SameValue,
    SecretState::Stuck,
    SecretState::ConsumerStale,
    SecretState::Unknown,
    SecretState::DueSoon,
    SecretState::Ok,
];

/// A secret that is in order.
pub(crate) fn secret(name: &str) -> SecretView {
    SecretView {
        name: name.into(),
        category: SecretCategory::Application,
        place: format!("vault secret/{name}#key"),
        owner: Some("ann".into()),
        tier: 1,
        state: SecretState::Ok,
        reason: "renewed 3 days ago, all that have it read it since".into(),
        rotated_at: Some(ago(3 * DAY)),
        evidence: Some("audit entry 17".into()),
        due_at: Some(NOW + Duration::from_secs(87 * DAY)),
        max_age_s: Some(90 * DAY),
        on_departure: false,
        consumers: vec![consumer("api", 2, false), consumer("realtime", 3, false)],
        read_by: vec![],
        approval: false,
    }
}

pub(crate) fn consumer(name: &str, days: u64, is_stale: bool) -> SecretConsumer {
    SecretConsumer { name: name.into(), read_at: Some(ago(days * DAY)), is_stale }
}

pub(crate) fn in_state(name: &str, state: SecretState) -> SecretView {
    SecretView { state, reason: format!("why it is {state:?}"), ..secret(name) }
}

pub(crate) fn of(secrets: Vec<SecretView>) -> SecretsView {
    SecretsView { at: NOW, secrets, requests: vec![], departures: vec![] }
}

pub(crate) fn calm() -> SecretsView {
    of(vec![secret("jwt_key"), secret("smtp_password")])
}

pub(crate) fn request(id: &str) -> SecretRequest {
    SecretRequest {
        id: id.into(),
        secret: "root_password".into(),
        by: "bob".into(),
        reason: "ticket 812: the primary does not take a login".into(),
        at: ago(240),
        until: NOW + Duration::from_secs(660),
        approved_by: None,
    }
}

pub(crate) fn departure() -> Departure {
    let work = |secret: &str, tier, closed_at| DepartureWork {
        secret: secret.into(),
        tier,
        why: "read on 3 May (audit entry 812)".into(),
        closed_at,
    };
    Departure {
        person: "carol".into(),
        at: ago(5 * DAY),
        work: vec![
            work("root_password", 0, None),
            work("stripe_key", 1, Some(ago(DAY))),
            work("smtp_password", 2, None),
        ],
    }
}

/// One of each state, reads that wait, and a departure.
pub(crate) fn troubled() -> SecretsView {
    let database = SecretView {
        category: SecretCategory::Database,
        tier: 0,
        owner: Some("platform team".into()),
        place: "encrypted file".into(),
        reason: "carol left 5 days ago and had read it on 3 May".into(),
        rotated_at: Some(ago(94 * DAY)),
        evidence: Some("version 4 in Vault".into()),
        due_at: Some(ago(4 * DAY)),
        on_departure: true,
        approval: true,
        read_by: vec!["ann".into(), "carol".into()],
        ..in_state("root_password", SecretState::Overdue)
    };
    let unseen = SecretView {
        category: SecretCategory::ThirdParty,
        owner: None,
        rotated_at: None,
        evidence: None,
        due_at: None,
        max_age_s: None,
        consumers: vec![],
        reason: "nothing shows when it was renewed last".into(),
        ..in_state("stripe_key", SecretState::Unknown)
    };
    let stale = SecretView {
        consumers: vec![
            consumer("api", 1, false),
            consumer("worker", 94, true),
            SecretConsumer { name: "billing".into(), read_at: None, is_stale: true },
        ],
        reason: "worker has not read it since it was renewed 3 days ago".into(),
        ..in_state("session_key_previous_of_the_realtime_service", SecretState::ConsumerStale)
    };
    SecretsView {
        secrets: vec![
            database,
            in_state("postgres_app_password", SecretState::SameValue),
            in_state("jwt_key", SecretState::Stuck),
            stale,
            unseen,
            SecretView {
                due_at: Some(NOW + Duration::from_secs(12 * DAY)),
                ..in_state("smtp_password", SecretState::DueSoon)
            },
            secret("s3_key"),
        ],
        requests: vec![
            request("r1"),
            SecretRequest { approved_by: Some("ann".into()), ..request("r2") },
            SecretRequest { until: ago(1), ..request("r3") },
        ],
        departures: vec![departure(), Departure { person: "dave".into(), work: vec![], ..departure() }],
        at: NOW,
    }
}

/// Everything that others write is an attack.
pub(crate) fn hostile() -> SecretsView {
    let evil = || HOSTILE.to_owned();
    let mut one = in_state(HOSTILE, SecretState::Unknown);
    (one.place, one.owner, one.evidence) = (evil(), Some(evil()), Some(evil()));
    (one.reason, one.rotated_at, one.due_at) =
        (HOSTILE.repeat(100), Some(Timestamp(i64::MIN)), Some(Timestamp(i64::MAX)));
    (one.max_age_s, one.tier) = (Some(u64::MAX), u8::MAX);
    one.consumers = (0..40).map(|_| consumer(HOSTILE, 1, true)).collect();
    one.read_by = vec![evil(); 40];
    let turned = SecretView {
        owner: Some("\u{202e}nna".into()),
        ..in_state("jwt\u{200b}_key\u{202e}x", SecretState::Stuck)
    };
    let long = SecretView {
        owner: Some("o".repeat(500)),
        ..in_state(&"very_long_name_".repeat(40), SecretState::Overdue)
    };
    let request = SecretRequest {
        id: "../../x?y=\"'<script>".into(),
        secret: evil(),
        by: "\u{202e}bob".into(),
        reason: HOSTILE.repeat(20),
        approved_by: None,
        ..request("")
    };
    let work = DepartureWork { secret: evil(), tier: 255, why: HOSTILE.repeat(20), closed_at: None };
    let departures = vec![Departure { person: evil(), at: Timestamp(i64::MAX), work: vec![work; 30] }];
    SecretsView { at: NOW, secrets: vec![long, one, turned], requests: vec![request], departures }
}

pub(crate) fn pictures() -> [(&'static str, SecretsView); 4] {
    [
        ("secrets", troubled()),
        ("secrets-calm", calm()),
        ("secrets-empty", of(vec![])),
        ("secrets-hostile", hostile()),
    ]
}
