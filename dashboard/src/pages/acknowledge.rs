use leptos::prelude::*;
use ops_contract::{Incident, Timestamp};

use super::document::Document;
use crate::components::incident;
use crate::words;

/// What came of a link that acknowledges an incident.
#[derive(Clone, Copy, Debug)]
pub enum AckLink<'a> {
    /// It can be used; nothing has happened yet.
    Ready {
        /// What it acknowledges.
        incident: &'a Incident,
        /// Why the last try was refused.
        error: Option<&'a str>,
    },
    /// It was used now.
    Done(&'a Incident),
    /// It was used before; the incident, when it is still known.
    Used(Option<&'a Incident>),
    /// It is too old.
    Expired,
    /// There is nothing any more that anybody must look after.
    Resolved(&'a Incident),
    /// It was not made here, or is not whole.
    Unknown,
}

/// What a link that acknowledges an incident shows; its form posts the field `reason` to the same address, so that the
/// look-ahead of a mail program changes nothing.
pub fn acknowledge_page(link: AckLink<'_>, at: Timestamp, nonce: &str) -> String {
    let (glyph, title, body) = match link {
        AckLink::Ready { incident, error } => ("▲", "Look after this incident?", ready(incident, error, at)),
        AckLink::Done(incident) => ("◔", "You look after it", about(incident, at)),
        AckLink::Used(incident) => ("◇", "This link was used already", used(incident, at)),
        AckLink::Expired => (
            "◇",
            "This link is too old",
            sentence("Links work for a day; sign in to acknowledge its incident."),
        ),
        AckLink::Resolved(incident) => ("●", "It is resolved", over(incident, at)),
        AckLink::Unknown => {
            ("◇", "This is no link of ours", sentence("It was not made here, or a part of it is missing."))
        }
    };
    let head = Document { title: format!("{title} · InsightDesk Ops"), glyph, refresh: None, nonce };
    head.render(view! {
        <header class="bar"><span class="brand">"InsightDesk Ops"</span></header>
        <main class="narrow">
            <h1>{title}</h1>
            {body}
            <p><a href="/incidents">"All incidents"</a></p>
        </main>
    })
}

fn sentence(text: &'static str) -> AnyView {
    view! { <p>{text}</p> }.into_any()
}

/// What it is, since when, and who looks after it.
fn about(it: &Incident, at: Timestamp) -> AnyView {
    let age = words::span(at.since(it.opened_at).as_secs());
    view! {
        <p class="ready"><bdi>{it.title.clone()}</bdi></p>
        <p>{incident::severity(it)} {format!(" since {} ({age})", words::clock(it.opened_at, at))}</p>
        {incident::keeper(it, at)}
    }
    .into_any()
}

fn ready(incident: &Incident, error: Option<&str>, at: Timestamp) -> AnyView {
    let error = error.map(|text| view! { <p class="banner" role="alert"><bdi>{text.to_owned()}</bdi></p> });
    view! {
        {error}
        {about(incident, at)}
        <form method="post" class="sheet">
            <label for="reason">"What you do about it"</label>
            <input id="reason" name="reason" required maxlength="500" autocomplete="off" autofocus/>
            <button>"I look after it"</button>
        </form>
    }
    .into_any()
}

fn used(incident: Option<&Incident>, at: Timestamp) -> AnyView {
    match incident {
        Some(it) => {
            view! { <p>"Each link works once; the incident is as it stands now:"</p> {about(it, at)} }
                .into_any()
        }
        None => sentence("Each link works once."),
    }
}

fn over(incident: &Incident, at: Timestamp) -> AnyView {
    let ended = incident.resolved_at.map(|it| format!("It ended at {}.", words::clock(it, at)));
    view! {
        <p class="ready"><bdi>{incident.title.clone()}</bdi></p>
        <p>{ended} " Nobody needs to look after it."</p>
    }
    .into_any()
}
