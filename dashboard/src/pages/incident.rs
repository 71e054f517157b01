use leptos::prelude::*;
use ops_contract::{EscalationStep, Incident, IncidentState, IncidentView, Timestamp};

use super::document::Document;
use crate::components::nav::{self, Place};
use crate::components::{acknowledge, headline, incident, notification, time};
use crate::words;

/// One incident: what happened, who was told, and did it arrive?
pub fn incident_page(view: &IncidentView, nonce: &str) -> String {
    let (now, it) = (view.at, &view.incident);
    let look = incident::look(it, now);
    let head = Document {
        title: format!("{} {} · {}", look.glyph, it.title, look.word),
        glyph: look.glyph,
        refresh: None,
        nonce,
    };
    let alerts: Vec<_> = it.alerts.iter().map(|alert| incident::whole(alert, now)).collect();
    head.render(view! {
        {nav::bar(Place::Incidents, None)}
        <main id="main" tabindex="-1">
            {headline::headline(look, format!("{}, {}", it.title, period(it, now)))}
            <section>
                <h2>"Who looks after it"</h2>
                {incident::keeper(it, now)}
                {incident::next(it, now)}
                {form(it, now)}
            </section>
            <section class="services">
                <h2>"Its alerts"</h2>
                {alerts}
            </section>
            {steps(&it.escalations, now)}
            {told(view)}
        </main>
        <footer>{format!("As of {} · load it again to see what is new", words::clock(now, now))}</footer>
    })
}

/// Since when, or from when to when.
fn period(incident: &Incident, now: Timestamp) -> String {
    let begun = words::clock(incident.opened_at, now);
    match incident.resolved_at {
        Some(at) => {
            let lasted = words::span(at.since(incident.opened_at).as_secs());
            format!("from {begun} to {} ({lasted})", words::clock(at, now))
        }
        None => format!("since {begun} ({})", words::span(now.since(incident.opened_at).as_secs())),
    }
}

fn form(it: &Incident, now: Timestamp) -> Option<impl IntoView + use<>> {
    (it.state != IncidentState::Resolved).then(|| match incident::is_held(it, now) {
        true => acknowledge::folded(it, 0).into_any(),
        false => acknowledge::form(it, 0).into_any(),
    })
}

fn steps(steps: &[EscalationStep], now: Timestamp) -> Option<impl IntoView + use<>> {
    let items: Vec<_> = steps
        .iter()
        .map(|step| {
            let round = match step.round {
                0 => String::new(),
                more => format!(", round {}", u64::from(more) + 1),
            };
            let whom = format!("level {}{round}: {}", u64::from(step.level) + 1, step.receivers.join(", "));
            view! { <li>{time::since(step.at, now)} <span class="what"><bdi>{whom}</bdi></span></li> }
        })
        .collect();
    (!items.is_empty()).then(|| {
        view! {
            <section>
                <h2>"How it was escalated"</h2>
                <ol class="changes">{items}</ol>
            </section>
        }
    })
}

fn told(view: &IncidentView) -> impl IntoView + use<> {
    let cards: Vec<_> = view.notifications.iter().map(|it| notification::card(it, false, view.at)).collect();
    let none = cards.is_empty().then(|| view! { <p class="quiet">"Nobody was told yet."</p> });
    view! {
        <section class="services">
            <h2>"Who was told"</h2>
            {none}
            {cards}
        </section>
    }
}
