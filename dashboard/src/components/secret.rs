//! A secret: how it stands, who renews it by when, and who has it.

use leptos::prelude::*;
use ops_contract::{SecretCategory, SecretConsumer, SecretState, SecretView, Timestamp, Tone};

use super::state::{self, Look};
use super::time;
use super::written::{plain, written};
use crate::words;

/// So many who use or have read a secret are named; more are counted.
const NAMES: usize = 12;

/// How a state looks; nothing but `ok` looks good.
pub(crate) fn look(of: SecretState) -> Look {
    match of {
        SecretState::Ok => Look { word: "ok", ..state::of_tone(Tone::Serving) },
        SecretState::DueSoon => Look { word: "due soon", ..state::of_tone(Tone::Starting) },
        SecretState::Overdue => Look { word: "overdue", ..state::of_tone(Tone::Down) },
        SecretState::Stuck => Look { word: "stuck", ..state::of_tone(Tone::Degraded) },
        SecretState::SameValue => Look { word: "same value", ..state::of_tone(Tone::Degraded) },
        SecretState::ConsumerStale => Look { word: "stale consumer", ..state::of_tone(Tone::Degraded) },
        SecretState::Unknown => state::of_tone(Tone::Unknown),
    }
}

/// All secrets in one table.
pub(crate) fn table(secrets: &[SecretView], now: Timestamp) -> impl IntoView + use<> {
    let rows: Vec<_> = secrets.iter().map(|it| row(it, now)).collect();
    view! {
        <table class="wide secrets">
            <caption class="visually-hidden">"Secrets, the most urgent first"</caption>
            <thead>
                <tr>
                    <th scope="col">"state"</th>
                    <th scope="col">"secret"</th>
                    <th scope="col">"owner"</th>
                    <th scope="col">"tier"</th>
                    <th scope="col">"renewed last"</th>
                    <th scope="col">"due"</th>
                    <th scope="col">"used by"</th>
                    <th scope="col">"read since by"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

fn row(it: &SecretView, now: Timestamp) -> impl IntoView + use<> {
    let owner = match &it.owner {
        Some(owner) => written(owner).into_any(),
        None => view! { <span class="quiet">"nobody is named"</span> }.into_any(),
    };
    view! {
        <tr>
            <td>{state::mark(look(it.state))}</td>
            <th scope="row">{what(it)}</th>
            <td data-name="owner">{owner}</td>
            <td data-name="tier">{it.tier.to_string()}</td>
            <td data-name="renewed last">{renewed(it, now)}</td>
            <td data-name="due">{due(it, now)}</td>
            <td data-name="used by">{consumers(&it.consumers, now)}</td>
            <td data-name="read since by">{readers(&it.read_by)}</td>
        </tr>
    }
}

/// Its name, which leads to who read it, where it is, and why it stands as it does.
fn what(it: &SecretView) -> impl IntoView + use<> {
    let path = format!("/audit?action=secret&subject={}", words::query_value(&it.name));
    let mut facts = format!("{} · {}", category(it.category), plain(&it.place));
    if it.approval {
        facts += " · a read takes two admins";
    }
    view! {
        <a class="name" href=path>{written(&it.name)}</a>
        <span class="facts"><bdi>{facts}</bdi></span>
        <span class="why">{written(&it.reason)}</span>
    }
}

const fn category(of: SecretCategory) -> &'static str {
    match of {
        SecretCategory::Application => "application",
        SecretCategory::Database => "database",
        SecretCategory::ThirdParty => "third party",
        SecretCategory::EncryptionKey => "encryption key",
    }
}

/// When it was renewed last, and what shows that.
fn renewed(it: &SecretView, now: Timestamp) -> impl IntoView + use<> {
    let at = match it.rotated_at {
        Some(at) => time::since(at, now).into_any(),
        None => "not known".into_any(),
    };
    let evidence = match &it.evidence {
        Some(evidence) => format!("shown by {}", plain(evidence)),
        None => "nothing shows it".to_owned(),
    };
    view! { {at} <span class="facts"><bdi>{evidence}</bdi></span> }
}

/// When it is to be renewed, and by which rule.
fn due(it: &SecretView, now: Timestamp) -> impl IntoView + use<> {
    let at = match it.due_at {
        Some(at) => time::around(at, now).into_any(),
        None => "no date".into_any(),
    };
    let rule = match (it.max_age_s, it.on_departure) {
        (Some(age), true) => format!("every {}, and when a reader leaves", words::span(age)),
        (Some(age), false) => format!("every {}", words::span(age)),
        (None, true) => "when a reader leaves".to_owned(),
        (None, false) => "no rule is set".to_owned(),
    };
    view! { {at} <span class="facts">{rule}</span> }
}

/// Who uses it, whoever has an old value first.
fn consumers(all: &[SecretConsumer], now: Timestamp) -> AnyView {
    let (stale, fresh): (Vec<_>, Vec<_>) = all.iter().partition(|it| it.is_stale);
    let lines: Vec<_> = stale.into_iter().chain(fresh).take(NAMES).map(|it| consumer(it, now)).collect();
    names(lines, all.len(), "nobody is named")
}

fn consumer(it: &SecretConsumer, now: Timestamp) -> AnyView {
    let stale = Look { word: "stale", ..state::of_tone(Tone::Degraded) };
    let read = match it.read_at {
        Some(at) => format!("read {}", words::ago(at, now)),
        None => "never read".to_owned(),
    };
    view! {
        {it.is_stale.then(|| view! { {state::mark(stale)} " " })}
        {written(&it.name)} " " <span class="facts">{read}</span>
    }
    .into_any()
}

/// Which people know its value.
fn readers(all: &[String]) -> AnyView {
    let lines = all.iter().take(NAMES).map(|it| written(it).into_any()).collect();
    names(lines, all.len(), "nobody")
}

fn names(lines: Vec<AnyView>, total: usize, none: &'static str) -> AnyView {
    if lines.is_empty() {
        return view! { <span class="quiet">{none}</span> }.into_any();
    }
    let more = total - lines.len();
    let lines: Vec<_> = lines.into_iter().map(|it| view! { <li>{it}</li> }).collect();
    view! {
        <ul class="names">
            {lines}
            {(more > 0).then(|| view! { <li class="quiet">{format!("and {more} more")}</li> })}
        </ul>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [SecretState; 7] = [
        SecretState::Ok,
        SecretState::DueSoon,
        SecretState::Overdue,
        SecretState::Stuck,
        SecretState::SameValue,
        SecretState::ConsumerStale,
        SecretState::Unknown,
    ];

    #[test]
    fn every_state_has_its_own_word_and_only_ok_looks_good() {
        let good = look(SecretState::Ok);
        let mut words = Vec::new();
        for state in STATES {
            let it = look(state);
            assert!(!it.word.is_empty() && !it.glyph.is_empty() && !it.class.is_empty(), "{state:?}");
            assert_eq!(
                it.glyph == good.glyph || it.class == good.class,
                state == SecretState::Ok,
                "{state:?}"
            );
            words.push(it.word);
        }
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), STATES.len());
        assert_eq!(look(SecretState::Unknown).glyph, "◇");
    }
}
