use std::collections::BTreeSet;

use ops_audit::export::Line;
use ops_audit::verify::{Trust, Verdict, Verifier};
use ops_contract::AuditVerified;

use super::export::Reader;
use super::places;
use crate::{App, clock, store};

/// Verifies the whole log in the store, from its first entry on, with what this host has outside of it.
pub(crate) async fn verify(app: &App) -> anyhow::Result<(Verdict, AuditVerified)> {
    let audit = &app.audit;
    // The mark first: what is appended while we read is no fault.
    let high_water = audit.memory().seen;
    let (anchors, searched) = places::gather(app).await;
    let unsealed = audit.seal_now(&app.store).await.err();
    let as_of_ms = clock::now().0 / 1_000;
    let every_ms = |it: std::time::Duration| i64::try_from(it.as_millis()).unwrap_or(i64::MAX);
    let mut verifier = Verifier::of_store(Trust {
        origin: Some(audit.origin.clone()),
        keys: vec![audit.first_key.clone()],
        anchor_every_ms: (!audit.spec.anchors.is_empty()).then(|| every_ms(audit.spec.anchor_every) * 3),
        max_gap_ms: every_ms(audit.spec.seal_every) * 5,
        as_of_ms: Some(as_of_ms),
        anchors,
        searched: searched.into_iter().collect::<BTreeSet<String>>(),
        high_water,
    });
    let mut reader = Reader::open(&app.store).await?;
    loop {
        let lines = reader.next(&app.store).await?;
        if lines.is_empty() {
            break;
        }
        for line in lines {
            match line {
                Line::Row(row) => verifier.row(row),
                Line::Checkpoint(text) => verifier.checkpoint(&text),
                Line::Anchor(anchor) => verifier.anchor(&anchor),
                Line::Header(_) | Line::End(_) => {}
            }
        }
        tokio::task::yield_now().await;
    }
    let verdict = verifier.finish();
    let mut said = said(&verdict, reader.misfiled.first().copied())?;
    if let Some(cut) = audit.memory().cut.clone() {
        said.completeness = "broken".to_owned();
        said.fault = said.fault.or(Some(cut));
    }
    if let Some(error) = unsealed {
        said.fault = said.fault.or_else(|| Some(error.to_string()));
    }
    audit.memory().verified = Some(said.clone());
    Ok((verdict, said))
}

fn said(verdict: &Verdict, misfiled: Option<u64>) -> store::Result<AuditVerified> {
    let fault = verdict.first_fault().map(|it| format!("{it}")).or_else(|| {
        misfiled.map(|seq| {
            format!("entry {seq} is filed under another actor, action, subject or time than it says")
        })
    });
    Ok(AuditVerified {
        at: clock::now(),
        integrity: if misfiled.is_some() { "broken".to_owned() } else { store::word(&verdict.integrity)? },
        completeness: store::word(&verdict.completeness)?,
        not_covered_s: verdict.not_covered_seconds,
        fault,
    })
}
