//! Incidents and notifications for tests and pictures.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::*;

use super::{NOW, ago};

pub(crate) const HOSTILE: &str = "</style><script>alert(1)</script><img src=x onerror=alert(1)>\"'";

fn words(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn alert(name: &str) -> NotifiedAlert {
    NotifiedAlert {
        id: format!("{name}-1"),
        fingerprint: "0123456789abcdef".into(),
        status: NotificationStatus::Firing,
        labels: words(&[("alertname", name), ("severity", "critical"), ("slot", "0")]),
        annotations: words(&[
            ("summary", "toy 0 is down"),
            ("runbook_url", "https://runbooks.example.com/toy"),
        ]),
        starts_at: ago(360),
        ends_at: None,
        generator_url: String::new(),
        folded: vec![],
    }
}

pub(crate) fn open(id: &str) -> Incident {
    Incident {
        id: id.into(),
        title: "toy 0 is down".into(),
        severity: "critical".into(),
        state: IncidentState::Open,
        opened_at: ago(360),
        resolved_at: None,
        acknowledgement: None,
        alerts: vec![NotifiedAlert {
            folded: ["a", "b", "c", "d"].map(|it| format!("ApiDown {it}")).into(),
            ..alert("ToyDown")
        }],
        policy: Some("page".into()),
        escalations: vec![EscalationStep {
            at: ago(60),
            round: 0,
            level: 1,
            receivers: vec!["boss".into(), "second".into()],
        }],
        next_escalation_at: Some(NOW + Duration::from_secs(240)),
    }
}

pub(crate) fn held(id: &str, until: Timestamp) -> Incident {
    Incident {
        state: IncidentState::Acknowledged,
        acknowledgement: Some(Acknowledgement {
            by: "ann".into(),
            reason: "the disk is swapped".into(),
            at: ago(120),
            until,
        }),
        next_escalation_at: None,
        ..open(id)
    }
}

pub(crate) fn resolved(id: &str) -> Incident {
    Incident {
        state: IncidentState::Resolved,
        opened_at: ago(9_000),
        resolved_at: Some(ago(8_400)),
        ..held(id, ago(8_000))
    }
}

pub(crate) fn calm() -> IncidentsView {
    IncidentsView {
        living: vec![],
        resolved: vec![resolved("r1")],
        next: Some("1700-r1&x".into()),
        on_call: vec![("ops".into(), vec!["ann".into(), "bob".into()]), ("night".into(), vec![])],
        faults: vec![],
        waiting: 0,
        waiting_since: None,
        at: NOW,
    }
}

pub(crate) fn broken() -> IncidentsView {
    let many = Incident {
        title: "seven of them".into(),
        severity: "warning".into(),
        policy: None,
        next_escalation_at: None,
        alerts: (0..7).map(|it| alert(&format!("Alert{it}"))).collect(),
        ..open("i2")
    };
    IncidentsView {
        living: vec![open("i1"), many, held("i3", NOW + Duration::from_secs(1_800))],
        faults: vec!["alertmanager.yml: line 4: there is no receiver x".into()],
        waiting: 1_204,
        waiting_since: Some(ago(600)),
        ..calm()
    }
}

pub(crate) fn delivery(status: DeliveryStatus, outcomes: &[AttemptOutcome]) -> Delivery {
    let attempt = |outcome: &AttemptOutcome| DeliveryAttempt {
        at: ago(300),
        took_ms: 1_204,
        outcome: *outcome,
        detail: format!("{outcome:?} as it is"),
    };
    Delivery {
        id: "d1".into(),
        notification: "n1".into(),
        integration: "webhook/0".into(),
        alert: None,
        status,
        next_attempt_at: (status == DeliveryStatus::Pending).then(|| NOW + Duration::from_secs(30)),
        delivered_at: (status == DeliveryStatus::Delivered).then(|| ago(299)),
        attempts: outcomes.iter().map(attempt).collect(),
    }
}

pub(crate) fn told(deliveries: Vec<Delivery>) -> NotificationView {
    NotificationView {
        notification: Notification {
            id: "n1".into(),
            receiver: "hook".into(),
            group_key: "{}:{}".into(),
            group_labels: BTreeMap::new(),
            status: NotificationStatus::Firing,
            reason: NotificationReason::Escalation,
            alerts: vec![alert("ToyDown")],
            truncated: 3,
            incident: Some("i1".into()),
            created_at: ago(301),
        },
        deliveries,
    }
}

/// One of each outcome.
pub(crate) fn history() -> NotificationsView {
    use AttemptOutcome::{Delivered, Failed, Refused};
    NotificationsView {
        notifications: vec![
            told(vec![delivery(DeliveryStatus::Delivered, &[Failed, Delivered])]),
            told(vec![delivery(DeliveryStatus::Pending, &[Failed])]),
            told(vec![delivery(DeliveryStatus::Dead, &[Refused])]),
            told(vec![delivery(DeliveryStatus::Superseded, &[])]),
            told(vec![]),
        ],
        next: Some("1700-n1&x".into()),
        waiting: 1,
        waiting_since: Some(ago(301)),
        at: NOW,
    }
}

/// Everything that others write is an attack.
pub(crate) fn hostile() -> (IncidentsView, IncidentView, NotificationsView) {
    let evil = |_| HOSTILE.to_owned();
    let mut alert = alert(HOSTILE);
    alert.labels.insert(HOSTILE.into(), HOSTILE.repeat(100));
    alert.annotations = ["summary", "runbook_url", HOSTILE].map(|it| (it.to_owned(), HOSTILE.into())).into();
    alert.annotations.insert("dashboard_url".into(), "javascript:alert(1)".into());
    alert.generator_url = "javascript:alert(1)".into();
    alert.folded = (0..5).map(evil).collect();
    let mut incident = held(HOSTILE, ago(1));
    incident.alerts = vec![alert.clone(); 20];
    for text in [&mut incident.title, &mut incident.severity] {
        *text = HOSTILE.into();
    }
    if let Some(ack) = &mut incident.acknowledgement {
        (ack.by, ack.reason) = (HOSTILE.into(), HOSTILE.into());
    }
    incident.escalations[0].receivers = (0..5).map(evil).collect();
    let mut note = told(vec![delivery(DeliveryStatus::Dead, &[AttemptOutcome::Refused])]);
    note.deliveries[0].integration = HOSTILE.into();
    note.deliveries[0].attempts[0].detail = HOSTILE.into();
    let it = &mut note.notification;
    (it.receiver, it.incident, it.alerts) = (HOSTILE.into(), Some(HOSTILE.into()), vec![alert; 200]);
    let incidents = IncidentsView {
        living: vec![incident.clone(); 150],
        resolved: vec![Incident { state: IncidentState::Resolved, ..incident.clone() }],
        next: Some(HOSTILE.into()),
        on_call: vec![(HOSTILE.into(), vec![HOSTILE.into()])],
        faults: vec![HOSTILE.into()],
        ..broken()
    };
    let one = IncidentView { incident, notifications: vec![note.clone()], at: NOW };
    let all = NotificationsView { notifications: vec![note], next: Some(HOSTILE.into()), ..history() };
    (incidents, one, all)
}
