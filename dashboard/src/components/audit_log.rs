//! How the audit log stands: its two answers, what is signed, and where it lies outside.

use std::time::Duration;

use leptos::prelude::*;
use ops_contract::{AuditAnchor, AuditState, AuditVerified, Timestamp, Tone};

use super::figure::figure;
use super::state::{self, Look};
use super::time;
use super::written::{plain, written};
use crate::words;

/// The log is verified each day; what was found out before this says nothing of today.
const OLD: Duration = Duration::from_secs(2 * 86_400);

/// Whether what was found out is too old to count.
pub(crate) fn is_old(it: &AuditVerified, now: Timestamp) -> bool {
    now.since(it.at) > OLD
}

/// Whether what is there is what was written. A word that nobody knows is not good.
pub(crate) fn integrity(it: Option<&AuditVerified>, now: Timestamp) -> Look {
    answer(it, now, |it| match it.integrity.as_str() {
        "intact" => Look { word: "intact", ..state::of_tone(Tone::Serving) },
        "unproven" => Look { word: "unproven", ..state::of_tone(Tone::Unknown) },
        "broken" => Look { word: "broken", ..state::of_tone(Tone::Down) },
        _ => state::of_tone(Tone::Unknown),
    })
}

/// Whether all that was written is there.
pub(crate) fn completeness(it: Option<&AuditVerified>, now: Timestamp) -> Look {
    answer(it, now, |it| match it.completeness.as_str() {
        "complete" => Look { word: "complete", ..state::of_tone(Tone::Serving) },
        "broken" => Look { word: "broken", ..state::of_tone(Tone::Down) },
        _ => state::of_tone(Tone::Unknown),
    })
}

/// What is broken stays so; anything else fades with time.
fn answer(it: Option<&AuditVerified>, now: Timestamp, of: fn(&AuditVerified) -> Look) -> Look {
    let Some(it) = it else {
        return Look { word: "not verified", ..state::of_tone(Tone::Unknown) };
    };
    match of(it) {
        look if look.class != "down" && is_old(it, now) => {
            Look { word: "too long ago", ..state::of_tone(Tone::Unknown) }
        }
        look => look,
    }
}

/// What the last verification left open: `not covered: the last 42 s`.
pub(crate) fn not_covered(it: &AuditVerified) -> String {
    match it.not_covered_s {
        Some(0) => "not covered: nothing".to_owned(),
        Some(seconds) => format!("not covered: the last {}", words::span(seconds)),
        None => "not covered: all of it".to_owned(),
    }
}

/// The figures.
pub(crate) fn figures(it: &AuditState, now: Timestamp) -> impl IntoView + use<> {
    let verified = it.verified.as_ref();
    let covered = verified.map(|it| {
        let left = not_covered(it);
        figure("not covered outside", left.trim_start_matches("not covered: ").to_owned())
    });
    let when = match verified {
        Some(it) => time::since(it.at, now).into_any(),
        None => "not since the server started".into_any(),
    };
    view! {
        <section aria-labelledby="record">
            <h2 id="record">"The record"</h2>
            <dl class="figures record">
                <div>
                    <dt>"is it what was written?"</dt>
                    <dd>{state::mark(integrity(verified, now))}</dd>
                </div>
                <div>
                    <dt>"is all of it there?"</dt>
                    <dd>{state::mark(completeness(verified, now))}</dd>
                </div>
                {covered}
                <div><dt>"verified"</dt><dd>{when}</dd></div>
                {figure("entries", words::number(it.entries))}
                {figure("signed", signed(it, now))}
                {figure("signed with the key", key_id(&it.key))}
                {figure("log", plain(&it.origin))}
            </dl>
        </section>
    }
}

/// `all, 12 s ago`; `the first 1,200, 12 s ago: 4 wait`.
fn signed(it: &AuditState, now: Timestamp) -> String {
    let when = it.sealed_at.map(|at| format!(", {}", words::ago(at, now))).unwrap_or_default();
    match (it.sealed, it.entries.saturating_sub(it.sealed)) {
        (0, 0) => format!("nothing yet{when}"),
        (0, _) => "none yet".to_owned(),
        (_, 0) => format!("all{when}"),
        (some, 1) => format!("the first {}{when}: 1 waits", words::number(some)),
        (some, waits) => format!("the first {}{when}: {} wait", words::number(some), words::number(waits)),
    }
}

/// Name and number of a key that is written `name+number+key`.
fn key_id(key: &str) -> String {
    let mut parts = key.splitn(3, '+');
    match (parts.next(), parts.next()) {
        (Some(name), Some(id)) => plain(&format!("{name}+{id}")),
        _ => plain(key),
    }
}

/// Where the newest state of the log lies outside.
pub(crate) fn anchors(it: &AuditState, now: Timestamp) -> impl IntoView + use<> {
    let none = it.anchors.is_empty().then(|| {
        view! {
            <p class="quiet">
                {state::mark(Look { word: "none", ..state::of_tone(Tone::Unknown) })}
                " Nothing outside this machine could show that the newest entries were cut off: add "
                <code>"[audit.anchors.NAME]"</code> " to the stack file."
            </p>
        }
    });
    let items: Vec<_> = it.anchors.iter().map(|anchor| line(anchor, it.entries, now)).collect();
    view! {
        <section aria-labelledby="anchors">
            <h2 id="anchors">"Where it lies outside"</h2>
            {none}
            {(!items.is_empty()).then(|| view! { <ul class="anchors">{items}</ul> })}
        </section>
    }
}

/// How an anchor looks: a state that was laid down once is no news of today when the last try failed.
pub(crate) fn anchor_look(it: &AuditAnchor) -> Look {
    match (&it.error, it.written_at) {
        (Some(_), _) => Look { word: "failed", ..state::of_tone(Tone::Degraded) },
        (None, None) => Look { word: "nothing yet", ..state::of_tone(Tone::Unknown) },
        (None, Some(_)) => Look { word: "written", ..state::of_tone(Tone::Serving) },
    }
}

fn line(it: &AuditAnchor, entries: u64, now: Timestamp) -> impl IntoView + use<> {
    let behind = match entries.saturating_sub(it.entries) {
        0 => "covers all entries".to_owned(),
        1 => "1 entry is newer".to_owned(),
        more => format!("{} entries are newer", words::number(more)),
    };
    let state = match it.written_at {
        Some(at) => {
            view! { {time::since(at, now)} <span class="facts">{format!(" · {behind}")}</span> }.into_any()
        }
        None => view! { <span class="facts">"no state of the log was laid down there"</span> }.into_any(),
    };
    let error = it.error.as_ref().map(|it| view! { <p class="reason whole">{written(it)}</p> });
    view! {
        <li>
            {state::mark(anchor_look(it))}
            <span class="what">
                <span class="ready">{written(&it.place)}</span> " " {state}
                {error}
            </span>
        </li>
    }
}
