//! Somebody left: what is to be renewed because of that, and how far that is.

use leptos::prelude::*;
use ops_contract::{Departure, DepartureWork, Timestamp, Tone};

use super::state::{self, Look};
use super::time;
use super::written::written;
use crate::words;

/// How many secrets are still to be renewed.
pub(crate) fn open(it: &Departure) -> usize {
    it.work.iter().filter(|it| it.closed_at.is_none()).count()
}

fn look(it: &Departure) -> Look {
    match (it.work.len(), open(it)) {
        (0, _) => Look { word: "nothing to renew", ..state::of_tone(Tone::Stopped) },
        (_, 0) => Look { word: "done", ..state::of_tone(Tone::Serving) },
        _ => Look { word: "open", ..state::of_tone(Tone::Degraded) },
    }
}

fn work_look(it: &DepartureWork) -> Look {
    match it.closed_at {
        Some(_) => Look { word: "renewed", ..state::of_tone(Tone::Serving) },
        None => Look { word: "to be renewed", ..state::of_tone(Tone::Degraded) },
    }
}

/// One card for each who left.
pub(crate) fn all(departures: &[Departure], now: Timestamp) -> Option<impl IntoView + use<>> {
    let cards: Vec<_> = departures.iter().map(|it| card(it, now)).collect();
    (!cards.is_empty()).then(|| {
        view! {
            <section class="services" id="departures">
                <h2>"What is renewed because somebody left"</h2>
                {cards}
            </section>
        }
    })
}

fn card(it: &Departure, now: Timestamp) -> impl IntoView + use<> {
    let look = look(it);
    let total = it.work.len();
    let progress = (total > 0).then(|| format!("{} of {total} renewed", total - open(it)));
    let none = (total == 0).then(|| {
        view! { <p class="quiet">"Nothing shows that they knew a secret that is still in use."</p> }
    });
    let work: Vec<_> = it.work.iter().map(|it| line(it, now)).collect();
    view! {
        <article class=format!("service {}", look.class)>
            <header>
                <h3>{written(&it.person)} " left"</h3>
                {state::mark(look)}
                {progress.map(|it| view! { <span class="ready">{it}</span> })}
                {time::since(it.at, now)}
            </header>
            {none}
            {(total > 0).then(|| view! { <ol class="work">{work}</ol> })}
        </article>
    }
}

fn line(it: &DepartureWork, now: Timestamp) -> impl IntoView + use<> {
    let closed = it.closed_at.map(|at| view! { " · " {time::since(at, now)} });
    view! {
        <li>
            {state::mark(work_look(it))}
            <span class="what">
                <span class="ready">{written(&it.secret)}</span>
                <span class="facts">{format!(" · tier {} · ", it.tier)} {written(&it.why)}</span>
                {closed}
            </span>
        </li>
    }
}

/// How many are open in all, as they are counted in a sentence.
pub(crate) fn open_in_all(departures: &[Departure]) -> Option<String> {
    let count: usize = departures.iter().map(open).sum();
    match count {
        0 => None,
        1 => Some("1 is to be renewed because somebody left".to_owned()),
        more => Some(format!("{} are to be renewed because somebody left", words::number(more as u64))),
    }
}
