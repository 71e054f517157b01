use leptos::prelude::*;
use ops_contract::{SecretState, SecretsView, Tone};

use super::document::Document;
use crate::components::nav::{self, Place};
use crate::components::state::{self, Look};
use crate::components::written::short;
use crate::components::{departure, headline, secret, secret_request};
use crate::words;

/// The states that call for somebody, the worst first.
const TROUBLES: [SecretState; 6] = [
    SecretState::Overdue,
    SecretState::SameValue,
    SecretState::Stuck,
    SecretState::ConsumerStale,
    SecretState::Unknown,
    SecretState::DueSoon,
];

/// Secrets: which one must be renewed, and by whom?
pub fn secrets_page(view: &SecretsView, nonce: &str) -> String {
    let now = view.at;
    let waiting = view.requests.iter().filter(|it| secret_request::waits(it, now)).count();
    let (look, sentence) = answer(view, waiting);
    // It does not ask again by itself: another request could come under a finger that is about to approve one.
    let head = Document {
        title: format!("{} Secrets · {}", look.glyph, look.word),
        glyph: look.glyph,
        refresh: None,
        nonce,
    };
    head.render(view! {
        {nav::bar(Place::Secrets, None)}
        <main id="main" tabindex="-1">
            {headline::headline(look, sentence)}
            {(waiting > 0).then(|| view! { <p><a href="#requests">"Reads that wait for a second admin"</a></p> })}
            {secrets(view)}
            {secret_request::all(&view.requests, now)}
            {departure::all(&view.departures, now)}
        </main>
        <footer>{format!("As of {} · load it again to see what is new", words::clock(now, now))}</footer>
    })
}

fn secrets(view: &SecretsView) -> impl IntoView + use<> {
    let table = match view.secrets.is_empty() {
        false => secret::table(&view.secrets, view.at).into_any(),
        true => view! {
            <p class="quiet">"No secrets in the stack file: add " <code>"[secrets.NAME]"</code> " for each."</p>
        }
        .into_any(),
    };
    view! {
        <section>
            <h2>"All secrets, the most urgent first"</h2>
            {table}
        </section>
    }
}

/// What must be renewed and by whom first, then what waits, then that all is in order.
fn answer(view: &SecretsView, waiting: usize) -> (Look, String) {
    if view.secrets.is_empty() {
        let look = Look { word: "no secrets", ..state::of_tone(Tone::Unknown) };
        return (look, "No secret is known, so none can be watched".to_owned());
    }
    let departed = departure::open_in_all(&view.departures);
    let waits = match waiting {
        0 => None,
        1 => Some("1 read waits for a second admin".to_owned()),
        more => Some(format!("{more} reads wait for a second admin")),
    };
    let all = || in_order(view.secrets.len());
    let (look, first) = match (trouble(view), &departed, &waits) {
        (Some(found), _, _) => found,
        (None, Some(_), _) => (
            Look { word: "open", ..state::of_tone(Tone::Degraded) },
            "No secret is overdue by its age".to_owned(),
        ),
        (None, None, Some(_)) => (Look { word: "waiting", ..state::of_tone(Tone::Starting) }, all()),
        (None, None, None) => (Look { word: "in order", ..state::of_tone(Tone::Serving) }, all()),
    };
    let parts: Vec<String> = [Some(first), departed, waits].into_iter().flatten().collect();
    (look, parts.join(" · "))
}

fn in_order(total: usize) -> String {
    match total {
        1 => "No secret must be renewed: the only one is in order".to_owned(),
        more => format!("No secret must be renewed: all {} are in order", words::number(more as u64)),
    }
}

/// `2 secrets are overdue, 1 is unknown · it falls to ann, platform team · nobody answers for 1 of them`.
fn trouble(view: &SecretsView) -> Option<(Look, String)> {
    let count = |state| view.secrets.iter().filter(|it| it.state == state).count();
    let found: Vec<_> =
        TROUBLES.into_iter().map(|it| (it, count(it))).filter(|(_, count)| *count > 0).collect();
    let (worst, _) = *found.first()?;
    let counts: Vec<String> =
        found.iter().enumerate().map(|(index, (state, count))| told(*state, *count, index == 0)).collect();
    let mut owners: Vec<String> = Vec::new();
    let mut orphans = 0;
    // `secrets` are the most urgent first, and so are their owners.
    for it in view.secrets.iter().filter(|it| it.state != SecretState::Ok) {
        match it.owner.as_ref().map(|it| short(it)) {
            Some(owner) if !owners.contains(&owner) => owners.push(owner),
            Some(_) => {}
            None => orphans += 1,
        }
    }
    let mut sentence = counts.join(", ");
    if !owners.is_empty() {
        sentence += &format!(" · it falls to {}", words::first(&owners));
    }
    match (orphans, owners.is_empty()) {
        (0, _) => {}
        (_, true) => sentence += " · nobody is named who answers for it",
        (orphans, false) => sentence += &format!(" · nobody is named for {orphans}"),
    }
    Some((secret::look(worst), sentence))
}

/// `2 secrets are overdue`; later in the sentence `2 are overdue`.
fn told(state: SecretState, count: usize, first: bool) -> String {
    let one = count == 1;
    let who = match (first, one) {
        (true, true) => "1 secret".to_owned(),
        (true, false) => format!("{} secrets", words::number(count as u64)),
        (false, _) => words::number(count as u64),
    };
    let (is, was, has) = if one { ("is", "was", "has") } else { ("are", "were", "have") };
    match state {
        SecretState::Ok => format!("{who} {is} ok"),
        SecretState::DueSoon => format!("{who} {is} due soon"),
        SecretState::Overdue => format!("{who} {is} overdue"),
        SecretState::Stuck => format!("{who} {is} stuck half renewed"),
        SecretState::SameValue => format!("{who} {was} renewed to the same value"),
        SecretState::ConsumerStale => format!("{who} {has} a stale consumer"),
        SecretState::Unknown => format!("{who} {is} unknown"),
    }
}
