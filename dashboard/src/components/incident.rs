//! Incidents: what broke, since when, and who looks after it.

use leptos::prelude::*;
use ops_contract::{Incident, IncidentState, NotificationStatus, NotifiedAlert, Timestamp, Tone};

use super::state::{self, Look};
use super::{acknowledge, time};
use crate::words;

/// So many alerts are named on a card; more are counted.
const ALERTS: usize = 5;

/// Whether somebody looks after it now; what ran out a moment ago does not count any more.
pub(crate) fn is_held(incident: &Incident, now: Timestamp) -> bool {
    incident.state == IncidentState::Acknowledged
        && incident.acknowledgement.as_ref().is_some_and(|it| it.until > now)
}

/// How an incident looks: what nobody looks after is the loudest.
pub(crate) fn look(incident: &Incident, now: Timestamp) -> Look {
    match incident.state {
        IncidentState::Resolved => Look { word: "resolved", ..state::of_tone(Tone::Serving) },
        _ if is_held(incident, now) => Look { class: "starting", glyph: "◔", word: "acknowledged" },
        _ if matches!(incident.severity.as_str(), "critical" | "error") => {
            Look { word: "open", ..state::of_tone(Tone::Down) }
        }
        _ => Look { word: "open", ..state::of_tone(Tone::Degraded) },
    }
}

/// Its address.
pub(crate) fn path(id: &str) -> String {
    format!("/incidents/{}", words::query_value(id))
}

/// A living incident; `index` tells its form from others.
pub(crate) fn card(incident: &Incident, index: usize, now: Timestamp) -> impl IntoView + use<> {
    let look = look(incident, now);
    let alerts: Vec<_> = incident.alerts.iter().take(ALERTS).map(|it| line(it, now)).collect();
    let more = incident.alerts.len() - alerts.len();
    let form = (!is_held(incident, now)).then(|| acknowledge::folded(incident, index));
    view! {
        <article class=format!("service {}", look.class)>
            <header>
                <h3><a href=path(&incident.id)><bdi>{incident.title.clone()}</bdi></a></h3>
                {state::mark(look)}
                {severity(incident)}
                {time::since(incident.opened_at, now)}
            </header>
            {keeper(incident, now)}
            <ul class="held" aria-label="alerts">{alerts}</ul>
            {(more > 0).then(|| view! { <p class="quiet">{format!("and {}", more_alerts(more))}</p> })}
            {next(incident, now)}
            {form}
        </article>
    }
}

/// An incident that is over, in one line.
pub(crate) fn past(incident: &Incident, now: Timestamp) -> impl IntoView + use<> {
    let lasted = incident.resolved_at.map(|at| {
        let length = words::span(at.since(incident.opened_at).as_secs());
        format!("lasted {length}, until {}", words::clock(at, now))
    });
    let by = incident.acknowledgement.as_ref().map(|it| it.by.clone());
    view! {
        <li>
            {time::since(incident.opened_at, now)}
            <span class="what">
                <a href=path(&incident.id)><bdi>{incident.title.clone()}</bdi></a>
                " " {severity(incident)}
                <span class="actor">
                    " " {lasted} {by.map(|it| view! { ", looked after by " <bdi>{it}</bdi> })}
                </span>
            </span>
        </li>
    }
}

/// Its severity as its alerts write it.
pub(crate) fn severity(incident: &Incident) -> Option<impl IntoView + use<>> {
    let word = incident.severity.clone();
    (!word.is_empty()).then(|| view! { <bdi class="ready">{word}</bdi> })
}

/// Who looks after it, why, and until when.
pub(crate) fn keeper(incident: &Incident, now: Timestamp) -> impl IntoView + use<> {
    let over = incident.state == IncidentState::Resolved;
    let Some(ack) = incident.acknowledgement.clone() else {
        let words = if over { "Nobody acknowledged it." } else { "Nobody looks after it." };
        return view! { <p class="reason">{words}</p> }.into_any();
    };
    let verb = if over || !is_held(incident, now) { " looked after it: " } else { " looks after it: " };
    let until = format!(
        "since {}, {} {}",
        words::clock(ack.at, now),
        if ack.until > now || over { "until" } else { "ran out at" },
        words::until(ack.until, now)
    );
    // A link does not say in whose hand it was.
    let by = if ack.by == "link" { "Whoever had the link".to_owned() } else { ack.by };
    view! {
        <p class="reason"><bdi>{by}</bdi> {verb} <bdi>{ack.reason}</bdi></p>
        <p class="quiet">{until}</p>
    }
    .into_any()
}

/// Who is told next unless somebody acknowledges.
pub(crate) fn next(incident: &Incident, now: Timestamp) -> Option<impl IntoView + use<>> {
    let text = match (incident.next_escalation_at, &incident.policy) {
        _ if incident.state == IncidentState::Resolved => return None,
        (_, Some(_)) if is_held(incident, now) => {
            "It is not escalated while somebody looks after it.".to_owned()
        }
        (Some(at), _) if at <= now => "The next level is told now.".to_owned(),
        (Some(at), _) => format!("The next level is told at {}.", words::until(at, now)),
        (None, Some(_)) => "Nobody else is told: its escalation is at its end.".to_owned(),
        (None, None) => "Nobody else is told: it has no escalation.".to_owned(),
    };
    Some(view! { <p class="quiet">{text}</p> })
}

/// `1 more alert`.
fn more_alerts(more: usize) -> String {
    if more == 1 { "1 more alert".to_owned() } else { format!("{more} more alerts") }
}

/// What an alert is called.
pub(crate) fn name(alert: &NotifiedAlert) -> String {
    alert.labels.get("alertname").cloned().unwrap_or_else(|| alert.fingerprint.clone())
}

/// What an alert says in one line.
fn summary(alert: &NotifiedAlert) -> Option<&String> {
    let text = |name| alert.annotations.get(name).filter(|it| !it.is_empty());
    text("summary").or_else(|| text("message")).or_else(|| text("description"))
}

fn alert_look(alert: &NotifiedAlert) -> Look {
    match alert.status {
        NotificationStatus::Firing => Look { word: "fires", ..state::of_tone(Tone::Down) },
        NotificationStatus::Resolved => Look { word: "resolved", ..state::of_tone(Tone::Serving) },
    }
}

/// An alert in one line, and what is folded under it.
fn line(alert: &NotifiedAlert, now: Timestamp) -> impl IntoView + use<> {
    let says = summary(alert).cloned();
    let folded = (!alert.folded.is_empty()).then(|| words::first(&alert.folded));
    view! {
        <li>
            {state::mark(alert_look(alert))} " " <bdi class="ready">{name(alert)}</bdi>
            {says.map(|it| view! { " " <bdi>{it}</bdi> })}
            " " {time::since(alert.starts_at, now)}
            {folded.map(|it| view! { <span class="facts">" · because of it: " <bdi>{it}</bdi></span> })}
        </li>
    }
}

/// An alert with all that it says.
pub(crate) fn whole(alert: &NotifiedAlert, now: Timestamp) -> impl IntoView + use<> {
    let look = alert_look(alert);
    let labels: Vec<_> = alert
        .labels
        .iter()
        .filter(|(name, _)| name.as_str() != "alertname")
        .map(|(name, value)| view! { <li><bdi>{format!("{name}=\"{value}\"")}</bdi></li> })
        .collect();
    let notes: Vec<_> = alert.annotations.iter().map(|(name, value)| annotation(name, value)).collect();
    let folded: Vec<_> = alert.folded.iter().map(|it| view! { <li><bdi>{it.clone()}</bdi></li> }).collect();
    let source = web_address(&alert.generator_url)
        .map(|it| view! { <p><a href=it rel="noopener noreferrer">"Where its expression can be looked at"</a></p> });
    let ended = alert.ends_at.map(|at| format!("resolved at {}", words::clock(at, now)));
    view! {
        <article class=format!("service {}", look.class)>
            <header>
                <h3><bdi>{name(alert)}</bdi></h3>
                {state::mark(look)}
                {ended.map(|it| view! { <span class="facts">{it}</span> })}
                {time::since(alert.starts_at, now)}
            </header>
            <dl class="notes">{notes}</dl>
            {(!labels.is_empty()).then(|| view! { <ul class="labels" aria-label="labels">{labels}</ul> })}
            {(!folded.is_empty()).then(|| view! {
                <div><p class="quiet">"Because of it, and told with it:"</p><ul class="held">{folded}</ul></div>
            })}
            {source}
        </article>
    }
}

/// An annotation; an address of the web is a link.
fn annotation(name: &str, value: &str) -> impl IntoView + use<> {
    let text = value.to_owned();
    let value = match web_address(value).filter(|_| name.ends_with("_url")) {
        Some(url) => view! { <a href=url rel="noopener noreferrer"><bdi>{text}</bdi></a> }.into_any(),
        None => view! { <bdi>{text}</bdi> }.into_any(),
    };
    view! { <div><dt><bdi>{name.to_owned()}</bdi></dt><dd>{value}</dd></div> }
}

/// An address that a browser may be sent to: never one that runs something.
fn web_address(text: &str) -> Option<String> {
    let plain = text.starts_with("https://") || text.starts_with("http://");
    (plain && !text.contains(|it: char| it.is_control() || it.is_whitespace())).then(|| text.to_owned())
}
