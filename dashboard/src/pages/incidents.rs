use leptos::prelude::*;
use ops_contract::{Incident, IncidentsView, Timestamp, Tone};

use super::document::Document;
use crate::components::nav::{self, Place};
use crate::components::state::{self, Look};
use crate::components::{headline, incident, waiting};
use crate::words;

/// How often the page asks again, without any script.
const REFRESH_SECONDS: u32 = 15;
/// So many cards are shown; more are counted.
const CARDS: usize = 100;

/// Incidents: what is broken, since when, and who looks after it?
pub fn incidents_page(view: &IncidentsView, nonce: &str) -> String {
    let now = view.at;
    let (look, sentence) = answer(view);
    // Asking again would lose what is being written into a form.
    let forms = view.living.iter().any(|it| !incident::is_held(it, now));
    let head = Document {
        title: format!("{} Incidents · {}", look.glyph, look.word),
        glyph: look.glyph,
        refresh: (!forms).then_some(REFRESH_SECONDS),
        nonce,
    };
    let faults: Vec<_> = view.faults.iter().map(|it| waiting::warning(fault(it))).collect();
    let again = match forms {
        true => "load it again to see what is new".to_owned(),
        false => format!("this page asks again every {REFRESH_SECONDS} s"),
    };
    head.render(view! {
        {nav::bar(Place::Incidents, None)}
        <main id="main" tabindex="-1">
            {faults}
            {waiting::banner(view.waiting, view.waiting_since, now)}
            {headline::headline(look, sentence)}
            {on_call(&view.on_call)}
            {living(&view.living, now)}
            {resolved(view)}
        </main>
        <footer>{format!("As of {} · {again}", words::clock(now, now))}</footer>
    })
}

fn fault(why: &str) -> String {
    format!("The routing file cannot be used; what it was before still counts: {why}")
}

/// What is broken first, then what could keep anybody from knowing, then that all is well.
fn answer(view: &IncidentsView) -> (Look, String) {
    let now = view.at;
    let waits = waiting::sentence(view.waiting, view.waiting_since, now);
    if let Some(worst) = view.living.first() {
        return (incident::look(worst, now), broken(view, worst));
    }
    if !view.faults.is_empty() {
        let sentence = "No incident is open, but the routing file cannot be used as it is".to_owned();
        return (state::of_tone(Tone::Degraded), sentence);
    }
    if view.waiting > 0 {
        let late = waiting::is_late(view.waiting_since, now);
        let look = if late { state::of_tone(Tone::Degraded) } else { state::of_tone(Tone::Starting) };
        return (Look { word: "waiting", ..look }, format!("No incident is open, but {waits}"));
    }
    (Look { word: "quiet", ..state::of_tone(Tone::Serving) }, "Nothing is broken".to_owned())
}

fn broken(view: &IncidentsView, worst: &Incident) -> String {
    let now = view.at;
    let total = view.living.len();
    let open = view.living.iter().filter(|it| !incident::is_held(it, now)).count();
    let keepers = match (open, total) {
        (0, _) => "somebody looks after",
        (_, 1) => "nobody looks after",
        _ => "",
    };
    let count = match (open, total) {
        (_, 1) => format!("1 incident, {keepers} it"),
        (0, _) => format!("{total} incidents, {keepers} each"),
        (open, _) if open == total => format!("{total} incidents, nobody looks after any"),
        (open, _) => format!("{total} incidents, nobody looks after {open} of them"),
    };
    let age = words::span(now.since(worst.opened_at).as_secs());
    let since = format!("since {} ({age})", words::clock(worst.opened_at, now));
    match total {
        1 => format!("{count}, {since}: {}", worst.title),
        _ => format!("{count}; the worst {since}: {}", worst.title),
    }
}

fn on_call(schedules: &[(String, Vec<String>)]) -> Option<impl IntoView + use<>> {
    let items: Vec<_> = schedules
        .iter()
        .map(|(schedule, people)| {
            let who = if people.is_empty() { "nobody".to_owned() } else { people.join(", ") };
            view! { <div><dt><bdi>{schedule.clone()}</bdi></dt><dd><bdi>{who}</bdi></dd></div> }
        })
        .collect();
    (!items.is_empty()).then(|| {
        view! {
            <section>
                <h2>"Who is on call"</h2>
                <dl class="figures">{items}</dl>
            </section>
        }
    })
}

fn living(incidents: &[Incident], now: Timestamp) -> Option<impl IntoView + use<>> {
    let cards: Vec<_> =
        incidents.iter().take(CARDS).enumerate().map(|(index, it)| incident::card(it, index, now)).collect();
    let more = incidents.len() - cards.len();
    (!cards.is_empty()).then(|| {
        view! {
            <section class="services" aria-labelledby="living">
                <h2 id="living">"What is broken"</h2>
                {cards}
                {(more > 0).then(|| view! { <p class="quiet">{format!("and {more} more")}</p> })}
            </section>
        }
    })
}

fn resolved(view: &IncidentsView) -> impl IntoView + use<> {
    let items: Vec<_> = view.resolved.iter().map(|it| incident::past(it, view.at)).collect();
    let none = items.is_empty().then(|| view! { <p class="quiet">"None."</p> });
    let older = view.next.as_ref().map(|next| {
        let path = format!("/incidents?before={}", words::query_value(next));
        view! { <p><a href=path>"Older incidents"</a></p> }
    });
    view! {
        <section>
            <h2>"What was resolved"</h2>
            {none}
            {(!items.is_empty()).then(|| view! { <ol class="changes">{items}</ol> })}
            {older}
        </section>
    }
}
