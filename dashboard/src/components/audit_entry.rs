//! Entries of the audit log: who did what to what, why, and how it ended.

use leptos::prelude::*;
use ops_contract::{AuditActorKind, AuditEntry, AuditOutcome, Timestamp, Tone};

use super::state::{self, Look};
use super::written::{plain, written};
use super::{audit_filter, time};
use crate::words;

/// How an end looks: what was permitted is quiet, so that the rest is seen.
pub(crate) fn look(outcome: AuditOutcome) -> Look {
    match outcome {
        AuditOutcome::Allowed => Look { class: "plain", glyph: "✓", word: "allowed" },
        AuditOutcome::Denied => Look { word: "denied", ..state::of_tone(Tone::Down) },
        AuditOutcome::Failed => Look { word: "failed", ..state::of_tone(Tone::Degraded) },
    }
}

/// A glyph and a word for each sort of actor.
const fn kind(of: AuditActorKind) -> (&'static str, &'static str) {
    match of {
        AuditActorKind::Person => ("◉", "person"),
        AuditActorKind::Service => ("▣", "service"),
        AuditActorKind::Agent => ("◈", "agent"),
        AuditActorKind::System => ("◎", "control plane"),
        AuditActorKind::External => ("◌", "external"),
    }
}

/// The entries in one table.
pub(crate) fn table(entries: &[AuditEntry], now: Timestamp) -> impl IntoView + use<> {
    let rows: Vec<_> = entries.iter().map(|it| row(it, now)).collect();
    view! {
        <table class="wide entries">
            <caption class="visually-hidden">"Entries, newest first"</caption>
            <thead>
                <tr>
                    <th scope="col">"entry"</th>
                    <th scope="col">"when"</th>
                    <th scope="col">"who"</th>
                    <th scope="col">"did what"</th>
                    <th scope="col">"to what"</th>
                    <th scope="col">"why"</th>
                    <th scope="col">"outcome"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

fn row(it: &AuditEntry, now: Timestamp) -> impl IntoView + use<> {
    let outcome = look(it.outcome);
    let why = match &it.purpose {
        Some(purpose) => written(purpose).into_any(),
        None => view! { <span class="quiet">"not said"</span> }.into_any(),
    };
    view! {
        <tr id=format!("e{}", it.seq) class=outcome.class>
            <th scope="row" data-name="entry"><a href=audit_filter::entry(it.seq)>{it.seq.to_string()}</a></th>
            <td>{time::since(it.at, now)}</td>
            <td>{who(it)}</td>
            <td data-name="did">{written(&it.action)}</td>
            <td data-name="to">{written(&it.subject)}</td>
            <td data-name="why">{why}</td>
            <td>{state::mark(outcome)} {details(it)}</td>
        </tr>
    }
}

/// Who it was, what sort of actor that is, and from where.
fn who(it: &AuditEntry) -> impl IntoView + use<> {
    let (glyph, sort) = kind(it.actor_kind);
    let address = it.address.as_ref().map(|it| view! { " from " {written(it)} });
    let device = it.device.as_ref().map(|it| view! { ", told by " {written(it)} });
    view! {
        <span class="glyph plain" aria-hidden="true">{glyph}</span>
        <span class="ready">{written(&it.actor)}</span>
        " " <span class="facts">{sort} {address} {device}</span>
    }
}

/// What else there is as evidence, folded.
fn details(it: &AuditEntry) -> Option<impl IntoView + use<>> {
    let facts: Vec<_> = it
        .details
        .iter()
        .map(|(name, value)| view! { <div><dt>{written(name)}</dt><dd>{written(value)}</dd></div> })
        .collect();
    let count = words::count(facts.len(), "detail");
    let of = format!(" of entry {} by {}", it.seq, plain(&it.actor));
    (!facts.is_empty()).then(|| {
        view! {
            <details>
                <summary>{count}<span class="visually-hidden">{of}</span></summary>
                <dl class="notes">{facts}</dl>
            </details>
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_or_failed_stands_out_by_glyph_and_word() {
        let looks = [AuditOutcome::Allowed, AuditOutcome::Denied, AuditOutcome::Failed].map(look);
        assert_eq!(looks.map(|it| it.word), ["allowed", "denied", "failed"]);
        assert_eq!(looks.map(|it| it.glyph), ["✓", "✕", "▲"]);
    }

    #[test]
    fn each_sort_of_actor_has_its_own_glyph_and_word() {
        use AuditActorKind::{Agent, External, Person, Service, System};
        let kinds = [Person, Service, Agent, System, External].map(kind);
        for (index, (glyph, word)) in kinds.iter().enumerate() {
            assert!(!glyph.is_empty() && !word.is_empty());
            assert!(kinds[..index].iter().all(|it| it.0 != *glyph && it.1 != *word), "{word}");
        }
    }
}
