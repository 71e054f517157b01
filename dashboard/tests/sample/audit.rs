//! The audit log for tests and pictures.

use ops_contract::*;

use super::incidents::HOSTILE;
use super::{NOW, ago};

pub(crate) fn entry(seq: u64) -> AuditEntry {
    AuditEntry {
        seq,
        at: ago(1_300 - seq.min(1_300)),
        actor_kind: AuditActorKind::Person,
        actor: "ann".into(),
        address: Some("203.0.113.7".into()),
        action: "secret.read".into(),
        subject: "jwt_key".into(),
        purpose: Some("ticket 812".into()),
        outcome: AuditOutcome::Allowed,
        device: None,
        details: [("version", "4"), ("role", "admin")].map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
    }
}

pub(crate) fn verified(integrity: &str, completeness: &str) -> AuditVerified {
    AuditVerified {
        at: ago(10_800),
        integrity: integrity.into(),
        completeness: completeness.into(),
        not_covered_s: Some(42),
        fault: None,
    }
}

pub(crate) fn anchor(place: &str) -> AuditAnchor {
    AuditAnchor { place: place.into(), written_at: Some(ago(180)), entries: 1_204, error: None }
}

pub(crate) fn finding(rule: &str, severity: FindingSeverity) -> Finding {
    Finding {
        rule: rule.into(),
        key: format!("{rule}/ann/jwt_key/12"),
        severity,
        principal: "ann".into(),
        secret: "jwt_key".into(),
        at: ago(600),
        summary: "ann read 9 different secrets in 10 min; 7 is the limit, 2 is usual".into(),
        evidence: vec![1_200, 17],
        learning: false,
    }
}

/// A log that can be trusted, with nothing unusual in it.
pub(crate) fn calm() -> AuditView {
    AuditView {
        at: NOW,
        state: AuditState {
            origin: "insightdesk.example/audit".into(),
            entries: 1_205,
            key: "insightdesk.example/audit+1a2b3c4d+AVeryLongPublicKeyInBase64".into(),
            sealed: 1_204,
            sealed_at: Some(ago(20)),
            anchors: vec![anchor("s3://bucket/anchors")],
            verified: Some(verified("intact", "complete")),
            fault: None,
        },
        filter: AuditFilter::default(),
        entries: (1_195..1_205).rev().map(entry).collect(),
        next: Some(1_195),
        findings: vec![],
    }
}

/// One of each sort.
pub(crate) fn eventful() -> AuditView {
    use AuditActorKind::{Agent, External, Service, System};
    let mut view = calm();
    let sorts = [
        (Service, "worker", AuditOutcome::Allowed),
        (Agent, "local", AuditOutcome::Failed),
        (System, "control plane", AuditOutcome::Allowed),
        (External, "approle-billing-of-the-other-department", AuditOutcome::Denied),
    ];
    for (it, (kind, actor, outcome)) in view.entries.iter_mut().skip(1).zip(sorts) {
        (it.actor_kind, it.actor, it.outcome) = (kind, actor.into(), outcome);
        it.details.clear();
    }
    view.entries[2].purpose = None;
    view.entries[3].address = None;
    view.entries[4].device = Some("bao_main".into());
    view.state.anchors.extend([
        AuditAnchor {
            error: Some("the bucket refused: AccessDenied".into()),
            ..anchor("s3://other/anchors")
        },
        AuditAnchor { written_at: None, entries: 0, ..anchor("file:///mnt/other/anchors") },
    ]);
    view.findings = vec![
        finding("R6", FindingSeverity::Critical),
        finding("R3", FindingSeverity::Warning),
        Finding { learning: true, ..finding("R1", FindingSeverity::Info) },
    ];
    view
}

pub(crate) fn empty() -> AuditView {
    let mut view = calm();
    view.state =
        AuditState { entries: 0, sealed: 0, sealed_at: None, anchors: vec![], verified: None, ..view.state };
    AuditView { entries: vec![], next: None, ..view }
}

pub(crate) fn filtered() -> AuditView {
    let filter = AuditFilter { actor: "ann & bob".into(), outcome: "denied".into(), ..Default::default() };
    AuditView { filter, ..calm() }
}

/// Everything that others write is an attack.
pub(crate) fn hostile() -> AuditView {
    let evil = || HOSTILE.to_owned();
    let mut view = eventful();
    for it in &mut view.entries {
        (it.actor, it.address, it.action) = (evil(), Some(evil()), evil());
        (it.subject, it.purpose, it.device) = (HOSTILE.repeat(10), Some(HOSTILE.repeat(30)), Some(evil()));
        it.details = [(evil(), HOSTILE.repeat(50))].into();
    }
    view.entries[0].actor = "\u{202e}nna\u{200b}".into();
    view.entries[1].subject = "very-long-name-".repeat(100);
    (view.entries[2].seq, view.entries[2].at) = (u64::MAX, Timestamp(i64::MAX));
    let filter = || HOSTILE.to_owned();
    view.filter = AuditFilter { actor: filter(), action: filter(), subject: filter(), outcome: filter() };
    view.next = Some(u64::MAX);
    let one = Finding {
        rule: evil(),
        principal: evil(),
        secret: evil(),
        summary: HOSTILE.repeat(30),
        evidence: (0..500).collect(),
        ..finding("", FindingSeverity::Critical)
    };
    view.findings = vec![one];
    view.state.anchors[0].place = evil();
    view.state.anchors[1].error = Some(HOSTILE.repeat(20));
    (view.state.origin, view.state.key) = (evil(), HOSTILE.repeat(20));
    view.state.verified = Some(AuditVerified {
        integrity: evil(),
        completeness: evil(),
        not_covered_s: Some(u64::MAX),
        fault: Some(evil()),
        ..verified("", "")
    });
    view
}

pub(crate) fn pictures() -> [(&'static str, AuditView); 5] {
    [
        ("audit", eventful()),
        ("audit-calm", calm()),
        ("audit-empty", empty()),
        ("audit-filtered", filtered()),
        ("audit-hostile", hostile()),
    ]
}
