use std::time::Duration;

use leptos::prelude::*;
use ops_contract::{AuditVerified, AuditView, FindingSeverity, Tone};

use super::document::Document;
use crate::components::nav::{self, Place};
use crate::components::state::{self, Look};
use crate::components::written::plain;
use crate::components::{audit_entry, audit_filter, audit_log, finding, headline};
use crate::words;

/// So long a critical finding is part of the answer.
const RECENT: Duration = Duration::from_secs(86_400);

/// Audit: who read what, and can the record be trusted?
pub fn audit_page(view: &AuditView, nonce: &str) -> String {
    let now = view.at;
    let (look, sentence) = answer(view);
    // It does not ask again by itself: each look at the log is an entry of the log.
    let head = Document {
        title: format!("{} Audit · {}", look.glyph, look.word),
        glyph: look.glyph,
        refresh: None,
        nonce,
    };
    let shown: Vec<u64> = view.entries.iter().map(|it| it.seq).collect();
    head.render(view! {
        {nav::bar(Place::Audit, None)}
        <main id="main" tabindex="-1">
            {headline::headline(look, sentence)}
            {audit_log::figures(&view.state, now)}
            {audit_log::anchors(&view.state, now)}
            {finding::all(&view.findings, &shown, now)}
            {entries(view)}
        </main>
        <footer>
            {format!("As of {} · each look at this page is an entry itself", words::clock(now, now))}
        </footer>
    })
}

/// Whether the record can be trusted, then what makes one wish to read it.
fn answer(view: &AuditView) -> (Look, String) {
    let (look, sentence) = trust(view);
    let recent = view
        .findings
        .iter()
        .filter(|it| it.severity == FindingSeverity::Critical && !it.learning)
        .filter(|it| view.at.since(it.at) <= RECENT)
        .count();
    if recent == 0 {
        return (look, sentence);
    }
    let sentence = format!("{sentence} · {} within a day", words::count(recent, "critical finding"));
    match look.class {
        "serving" => (Look { word: "findings", ..state::of_tone(Tone::Degraded) }, sentence),
        _ => (look, sentence),
    }
}

fn trust(view: &AuditView) -> (Look, String) {
    let unknown = Look { word: "not verified", ..state::of_tone(Tone::Unknown) };
    if let Some(fault) = &view.state.fault {
        let look = Look { word: "takes no entries", ..state::of_tone(Tone::Down) };
        return (
            look,
            format!("The record takes no entries now, so no secret is handed out: {}", plain(fault)),
        );
    }
    let Some(verified) = &view.state.verified else {
        let sentence =
            "It is not known whether the record can be trusted: it was not verified since the server started";
        return (unknown, sentence.to_owned());
    };
    if let Some(broken) = broken(view, verified) {
        return (Look { word: "broken", ..state::of_tone(Tone::Down) }, broken);
    }
    let when = words::ago(verified.at, view.at);
    if audit_log::is_old(verified, view.at) {
        let look = Look { word: "too long ago", ..state::of_tone(Tone::Unknown) };
        let sentence = format!(
            "It is not known whether the record can be trusted: it was last verified {when}, and was {} and {}",
            plain(&verified.integrity),
            plain(&verified.completeness)
        );
        return (look, sentence);
    }
    let covered = audit_log::not_covered(verified);
    match doubt(view, verified) {
        Some(doubt) => {
            (Look { word: "unproven", ..unknown }, format!("{doubt}; {covered} (verified {when})"))
        }
        None => proven(view, &format!("{covered} (verified {when})")),
    }
}

/// What makes the record one that cannot be trusted.
fn broken(view: &AuditView, verified: &AuditVerified) -> Option<String> {
    let is_down = |look: Look| look.class == "down";
    let integrity = is_down(audit_log::integrity(Some(verified), view.at));
    let completeness = is_down(audit_log::completeness(Some(verified), view.at));
    let what = match (integrity, completeness) {
        (true, true) => "it is not what was written, and not all that was written is there",
        (true, false) => "it is not what was written",
        (false, true) => "not all that was written is there",
        (false, false) if verified.fault.is_some() => "verifying it found a fault",
        (false, false) => return None,
    };
    let fault = verified.fault.as_ref().map(|it| format!(": {}", plain(it))).unwrap_or_default();
    Some(format!("The record cannot be trusted: {what}{fault}"))
}

/// Which of the two answers is not a good one.
fn doubt(view: &AuditView, verified: &AuditVerified) -> Option<&'static str> {
    let is_good = |look: Look| look.class == "serving";
    let integrity = is_good(audit_log::integrity(Some(verified), view.at));
    let completeness = is_good(audit_log::completeness(Some(verified), view.at));
    match (integrity, completeness) {
        (true, true) => None,
        (true, false) => Some("The record is intact, but whether all of it is there is unknown"),
        (false, true) => Some("The record is complete, but that nobody changed it is unproven"),
        (false, false) => Some(
            "Nothing is proven of the record: neither that nobody changed it nor that all of it is there",
        ),
    }
}

/// Both answers are good; a place outside that cannot be written to makes the next ones worse.
fn proven(view: &AuditView, covered: &str) -> (Look, String) {
    let total = view.state.anchors.len();
    let failed = view.state.anchors.iter().filter(|it| it.error.is_some()).count();
    let sentence = format!("The record is intact and complete; {covered}");
    if failed == 0 {
        return (Look { word: "trusted", ..state::of_tone(Tone::Serving) }, sentence);
    }
    let look = Look { word: "anchor failed", ..state::of_tone(Tone::Degraded) };
    (look, format!("{sentence} · {failed} of {} outside cannot be written to", words::count(total, "place")))
}

fn entries(view: &AuditView) -> impl IntoView + use<> {
    let table = match view.entries.is_empty() {
        false => audit_entry::table(&view.entries, view.at).into_any(),
        true => none(view),
    };
    let older = view.next.map(|next| {
        view! { <p><a href=audit_filter::path(&view.filter, Some(next))>"Older entries"</a></p> }
    });
    // The numbers are dense: without a filter it can be told that newer ones are left out.
    let newest = view.entries.first().map(|it| it.seq.saturating_add(1));
    let newer = (audit_filter::is_empty(&view.filter) && newest.is_some_and(|it| it < view.state.entries))
        .then(|| view! { <p><a href="/audit">"The newest entries"</a></p> });
    view! {
        <section aria-labelledby="entries">
            <h2 id="entries">"Who did what, newest first"</h2>
            {audit_filter::form(&view.filter)}
            {newer}
            {table}
            {older}
        </section>
    }
}

/// Why there are none, and what to do.
fn none(view: &AuditView) -> AnyView {
    match (audit_filter::is_empty(&view.filter), view.state.entries) {
        (false, _) => view! {
            <p class="quiet">"No entry fits. An action is a whole one, " <code>"secret.read"</code>
            ", or what it begins with up to a dot, " <code>"secret"</code> "; the rest must fit to the letter."</p>
        }
        .into_any(),
        (true, 0) => view! {
            <p class="quiet">"Nothing is recorded yet. The first read of a secret will be: "
            <code>"insightdesk secrets read NAME --reason …"</code></p>
        }
        .into_any(),
        (true, _) => view! { <p class="quiet">"There are no older entries. " <a href="/audit">"The newest entries"</a></p> }
            .into_any(),
    }
}
