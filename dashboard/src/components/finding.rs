//! An unusual or unauthorised access, with the entries that show it.

use leptos::prelude::*;
use ops_contract::{Finding, FindingSeverity, Timestamp, Tone};

use super::state::{self, Look};
use super::written::written;
use super::{audit_filter, time};
use crate::words;

/// So many entries are linked; the contract has no more.
const EVIDENCE: usize = 20;

/// How a finding looks; what is found while habits are still being learnt is grey.
pub(crate) fn look(severity: FindingSeverity, learning: bool) -> Look {
    let look = match severity {
        FindingSeverity::Info => Look { class: "starting", glyph: "i", word: "info" },
        FindingSeverity::Warning => Look { word: "warning", ..state::of_tone(Tone::Degraded) },
        FindingSeverity::Critical => Look { word: "critical", ..state::of_tone(Tone::Down) },
    };
    if learning { Look { class: "unknown", ..look } } else { look }
}

/// What a rule looks for.
fn about(rule: &str) -> Option<&'static str> {
    Some(match rule {
        "R1" => "first read",
        "R2" => "new network",
        "R3" => "many secrets",
        "R4" => "many reads",
        "R5" => "unusual hour",
        "R6" => "refusals",
        "R7" => "not permitted",
        "R8" => "impossible sequence",
        "R9" => "root was used",
        "R10" => "silence",
        "R11" => "trap",
        _ => return None,
    })
}

/// The findings; `shown` are the entries on the same page.
pub(crate) fn all(findings: &[Finding], shown: &[u64], now: Timestamp) -> impl IntoView + use<> {
    let cards: Vec<_> = findings.iter().map(|it| card(it, shown, now)).collect();
    let none =
        cards.is_empty().then(|| view! { <p class="quiet">"Nothing unusual or unauthorised was found."</p> });
    view! {
        <section class="services" aria-labelledby="findings">
            <h2 id="findings">"What was unusual or unauthorised, newest first"</h2>
            {none}
            {cards}
        </section>
    }
}

fn card(it: &Finding, shown: &[u64], now: Timestamp) -> impl IntoView + use<> {
    let look = look(it.severity, it.learning);
    let class = if it.learning { "learning" } else { look.class };
    let secret = (!it.secret.is_empty()).then(|| view! { " · " {written(&it.secret)} });
    let learning = it.learning.then(|| {
        view! { <p class="quiet">"Shown, not told: what is usual for them is still being learnt."</p> }
    });
    view! {
        <article class=format!("service {class}")>
            <header>
                {state::mark(look)}
                <h3>{written(&it.rule)} {about(&it.rule).map(|it| format!(" · {it}"))}</h3>
                <span class="facts">{written(&it.principal)} {secret}</span>
                {time::since(it.at, now)}
            </header>
            <p class="reason whole">{written(&it.summary)}</p>
            {learning}
            {evidence(&it.evidence, shown)}
        </article>
    }
}

/// Links to the entries: on this page when they are here.
fn evidence(evidence: &[u64], shown: &[u64]) -> Option<impl IntoView + use<>> {
    let links: Vec<_> = evidence
        .iter()
        .take(EVIDENCE)
        .map(|seq| {
            let path = if shown.contains(seq) { format!("#e{seq}") } else { audit_filter::entry(*seq) };
            view! { <li><a href=path>{format!("entry {seq}")}</a></li> }
        })
        .collect();
    let more = evidence.len() - links.len();
    (!links.is_empty()).then(|| {
        view! {
            <ul class="evidence" aria-label="evidence">
                {links}
                {(more > 0).then(|| view! { <li class="quiet">{format!("and {}", words::number(more as u64))} " more"</li> })}
            </ul>
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_severity_has_its_own_glyph_and_word_and_learning_takes_only_the_colour() {
        let all = [FindingSeverity::Info, FindingSeverity::Warning, FindingSeverity::Critical];
        let looks = all.map(|it| look(it, false));
        assert_eq!(looks.map(|it| (it.glyph, it.word)), [("i", "info"), ("▲", "warning"), ("✕", "critical")]);
        for severity in all {
            let (told, learnt) = (look(severity, false), look(severity, true));
            assert_eq!((learnt.glyph, learnt.word, learnt.class), (told.glyph, told.word, "unknown"));
        }
    }
}
