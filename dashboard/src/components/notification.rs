//! A notification: who was told what, when, and did it arrive?

use leptos::prelude::*;
use ops_contract::{
    AttemptOutcome, Delivery, DeliveryAttempt, DeliveryStatus, Notification, NotificationReason,
    NotificationStatus, NotificationView, Timestamp, Tone,
};

use super::state::{self, Look};
use super::{incident, time};
use crate::words;

/// Why a receiver was told, as people say it.
fn reason(reason: NotificationReason) -> &'static str {
    match reason {
        NotificationReason::FirstNotification => "told for the first time",
        NotificationReason::NewAlerts => "alerts have joined",
        NotificationReason::SomeResolved => "some have resolved",
        NotificationReason::AllResolved => "all have resolved",
        NotificationReason::Repeat => "told again: nothing has changed",
        NotificationReason::Acknowledged => "somebody looks after it",
        NotificationReason::Escalation => "escalated: nobody acknowledged in time",
        NotificationReason::Fallback => "in place of a receiver that refused it",
        NotificationReason::Test => "a test",
    }
}

/// How a delivery looks; what waits too long is not told as if it were on its way.
fn look(delivery: &Delivery, since: Timestamp, now: Timestamp) -> Look {
    match delivery.status {
        DeliveryStatus::Delivered => Look { word: "delivered", ..state::of_tone(Tone::Serving) },
        DeliveryStatus::Superseded => Look { word: "superseded", ..state::of_tone(Tone::Stopped) },
        DeliveryStatus::Dead => Look { word: "dead", ..state::of_tone(Tone::Down) },
        DeliveryStatus::Pending if now.since(since).as_secs() > 60 => {
            Look { word: "waiting", ..state::of_tone(Tone::Degraded) }
        }
        DeliveryStatus::Pending => Look { word: "waiting", ..state::of_tone(Tone::Starting) },
    }
}

/// A notification with its deliveries. `linked`: with a link to its incident.
pub(crate) fn card(view: &NotificationView, linked: bool, now: Timestamp) -> impl IntoView + use<> {
    let note = &view.notification;
    let looks = view.deliveries.iter().map(|it| look(it, note.created_at, now));
    // The card is as loud as its worst delivery.
    let class = ["down", "degraded"].into_iter().find(|class| looks.clone().any(|it| it.class == *class));
    let link = note.incident.as_ref().filter(|_| linked).map(|id| {
        view! { <p><a href=incident::path(id)>"Its incident"</a></p> }
    });
    let deliveries: Vec<_> = view.deliveries.iter().map(|it| delivery(it, note.created_at, now)).collect();
    let none = deliveries
        .is_empty()
        .then(|| view! { <p class="quiet">"It goes to nobody: the receiver has no integration."</p> });
    view! {
        <article class=format!("service {}", class.unwrap_or_default())>
            <header>
                <h3>"to " <bdi>{note.receiver.clone()}</bdi></h3>
                <span class="ready">{reason(note.reason)}</span>
                {time::since(note.created_at, now)}
            </header>
            <p class="reason"><bdi>{what(note)}</bdi></p>
            {link}
            {none}
            <ul class="deliveries">{deliveries}</ul>
        </article>
    }
}

/// What was told: how many fire and which.
fn what(note: &Notification) -> String {
    let firing = note.alerts.iter().filter(|it| it.status == NotificationStatus::Firing).count();
    let resolved = note.alerts.len() - firing;
    let mut names: Vec<String> = Vec::new();
    for alert in &note.alerts {
        let name = incident::name(alert);
        if !names.contains(&name) && names.len() < 100 {
            names.push(name);
        }
    }
    let counts = match (firing, resolved) {
        (0, more) => format!("{more} resolved"),
        (more, 0) => format!("{more} firing"),
        (firing, resolved) => format!("{firing} firing, {resolved} resolved"),
    };
    let cut = match note.truncated {
        0 => String::new(),
        more => format!(" ({more} more are not listed)"),
    };
    format!("{counts}: {}{cut}", words::first(&names))
}

fn delivery(delivery: &Delivery, since: Timestamp, now: Timestamp) -> impl IntoView + use<> {
    let attempts: Vec<_> = delivery.attempts.iter().map(|it| attempt(it, now)).collect();
    let count = words::count(attempts.len(), "attempt");
    let table = (!attempts.is_empty()).then(|| {
        view! {
            <details>
                <summary>{count}</summary>
                <ol class="held">{attempts}</ol>
            </details>
        }
    });
    view! {
        <li>
            {state::mark(look(delivery, since, now))} " "
            <bdi class="ready">{delivery.integration.clone()}</bdi> " "
            <bdi class="detail">{state_of(delivery, since, now)}</bdi>
            {table}
        </li>
    }
}

/// How a delivery stands, in words.
fn state_of(delivery: &Delivery, since: Timestamp, now: Timestamp) -> String {
    let tried = delivery.attempts.len();
    let last = delivery.attempts.last().map(|it| it.detail.as_str()).filter(|it| !it.is_empty());
    let why = last.map(|it| format!(": {it}")).unwrap_or_default();
    match delivery.status {
        DeliveryStatus::Delivered => {
            let at = delivery.delivered_at.map(|at| format!(" at {}", words::clock(at, now)));
            format!("after {}{}", words::count(tried, "attempt"), at.unwrap_or_default())
        }
        DeliveryStatus::Superseded => "a newer message to the same receiver tells it too".to_owned(),
        DeliveryStatus::Dead if tried == 0 => "never tried".to_owned(),
        DeliveryStatus::Dead => format!("given up after {}{why}", words::count(tried, "attempt")),
        DeliveryStatus::Pending => {
            let next = match delivery.next_attempt_at {
                Some(at) if at > now => format!(", next try at {}", words::until(at, now)),
                _ => ", next try now".to_owned(),
            };
            let tried = match tried {
                0 => "not tried yet".to_owned(),
                more => {
                    format!("tried {}", if more == 1 { "once".to_owned() } else { format!("{more} times") })
                }
            };
            format!("since {}, {tried}{next}{why}", words::clock(since, now))
        }
    }
}

fn attempt(attempt: &DeliveryAttempt, now: Timestamp) -> impl IntoView + use<> {
    let outcome = match attempt.outcome {
        AttemptOutcome::Delivered => Look { word: "delivered", ..state::of_tone(Tone::Serving) },
        AttemptOutcome::Failed => Look { word: "failed", ..state::of_tone(Tone::Degraded) },
        AttemptOutcome::Refused => Look { word: "refused", ..state::of_tone(Tone::Down) },
    };
    let took = format!(", took {} ms ", words::number(attempt.took_ms));
    view! {
        <li>
            {words::clock(attempt.at, now)} {took} {state::mark(outcome)} " "
            <bdi>{attempt.detail.clone()}</bdi>
        </li>
    }
}
