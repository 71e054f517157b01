//! A person's wish to read a secret that takes a second admin's word.

use leptos::prelude::*;
use ops_contract::{SecretRequest, Timestamp, Tone};

use super::state::{self, Look};
use super::time;
use super::written::written;
use crate::words;

/// Whether somebody can still approve it.
pub(crate) fn waits(it: &SecretRequest, now: Timestamp) -> bool {
    it.approved_by.is_none() && it.until > now
}

fn look(it: &SecretRequest, now: Timestamp) -> Look {
    match (&it.approved_by, it.until > now) {
        (_, false) => Look { word: "expired", ..state::of_tone(Tone::Stopped) },
        (None, true) => Look { word: "waits", ..state::of_tone(Tone::Starting) },
        (Some(_), true) => Look { class: "starting", glyph: "✓", word: "approved" },
    }
}

/// The reads that were asked for.
pub(crate) fn all(requests: &[SecretRequest], now: Timestamp) -> Option<impl IntoView + use<>> {
    let cards: Vec<_> = requests.iter().map(|it| card(it, now)).collect();
    (!cards.is_empty()).then(|| {
        view! {
            <section class="services" id="requests">
                <h2>"Reads that wait for a second admin"</h2>
                <p class="quiet">"Whoever asked cannot approve; another admin can."</p>
                {cards}
            </section>
        }
    })
}

fn card(it: &SecretRequest, now: Timestamp) -> impl IntoView + use<> {
    let look = look(it, now);
    let approved = it.approved_by.as_ref().map(|by| {
        view! { <p class="quiet">{written(by)} " has approved it."</p> }
    });
    let until = match (it.until > now, &it.approved_by) {
        (true, None) => format!("It can be approved and read until {}.", words::until(it.until, now)),
        (true, Some(_)) => format!("It can be read until {}.", words::until(it.until, now)),
        (false, _) => format!("It was good until {}.", words::clock(it.until, now)),
    };
    view! {
        <article class=format!("service {}", look.class)>
            <header>
                <h3>{written(&it.by)} " wants to read " {written(&it.secret)}</h3>
                {state::mark(look)}
                {time::since(it.at, now)}
            </header>
            <p class="reason whole">"Why: " {written(&it.reason)}</p>
            {approved}
            <p class="quiet">{until}</p>
            {waits(it, now).then(|| form(it))}
        </article>
    }
}

fn form(it: &SecretRequest) -> impl IntoView + use<> {
    let action = format!("/secrets/requests/{}/approve", words::query_value(&it.id));
    view! {
        <form method="post" action=action>
            <button>
                "Approve"
                <span class="visually-hidden">" that " {written(&it.by)} " reads " {written(&it.secret)}</span>
            </button>
        </form>
    }
}
