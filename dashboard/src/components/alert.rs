//! Alerts: those that fire as cards, those that may fire soon as a table.

use leptos::prelude::*;
use ops_contract::{Alert, AlertState, RuleView, Timestamp, Tone};

use super::figure::figure;
use super::state::{self, Look};
use super::time;
use crate::words;

/// So many cards are shown; more are counted.
const CARDS: usize = 100;
/// So many rows of pending alerts are shown.
const ROWS: usize = 100;

/// The rule fires all the time, to prove that rules are evaluated; by custom its severity is `none`.
pub(crate) fn is_heartbeat(rule: &RuleView) -> bool {
    rule.labels.get("severity").is_some_and(|it| it == "none")
}

/// The listed alerts of `rules` that fire: the worst first, then the oldest; what fires on purpose last.
pub(crate) fn firing_of<'a>(rules: &[&'a RuleView]) -> impl Iterator<Item = (&'a RuleView, &'a Alert)> {
    let all = rules.iter().flat_map(|rule| rule.alerts.iter().map(move |alert| (*rule, alert)));
    let mut firing: Vec<_> = all.filter(|(_, alert)| alert.state == AlertState::Firing).collect();
    firing.sort_by_key(|(rule, alert)| {
        (is_heartbeat(rule), std::cmp::Reverse(rule.tone), alert.fired_at.unwrap_or(alert.active_at))
    });
    firing.into_iter()
}

/// What the alert is called.
pub(crate) fn name(alert: &Alert) -> String {
    alert.labels.get("alertname").cloned().unwrap_or_else(|| alert.rule.clone())
}

/// What it says in one line.
pub(crate) fn summary(alert: &Alert) -> Option<&str> {
    let text = |name| alert.annotations.get(name).map(String::as_str).filter(|it| !it.is_empty());
    text("summary").or_else(|| text("message")).or_else(|| text("description"))
}

/// Everything that fires, one card each.
pub(crate) fn firing(rules: &[RuleView], now: Timestamp) -> Option<impl IntoView + use<>> {
    let firing: Vec<&RuleView> = rules.iter().filter(|rule| rule.firing > 0).collect();
    let total: u64 = firing.iter().map(|it| it.firing).sum();
    let cards: Vec<_> = firing_of(&firing).take(CARDS).map(|(rule, alert)| card(rule, alert, now)).collect();
    let more = total.saturating_sub(cards.len() as u64);
    (total > 0).then(|| {
        view! {
            <section class="services" aria-labelledby="firing">
                <h2 id="firing">"What fires"</h2>
                {cards}
                {(more > 0).then(|| view! { <p class="quiet">{format!("and {} more", words::number(more))}</p> })}
            </section>
        }
    })
}

/// How a rule that fires looks.
pub(crate) fn look(rule: &RuleView) -> Look {
    if is_heartbeat(rule) {
        return Look { class: "serving", glyph: "●", word: "fires on purpose" };
    }
    Look { word: "firing", ..state::of_tone(rule.tone.max(Tone::Degraded)) }
}

fn card(rule: &RuleView, alert: &Alert, now: Timestamp) -> impl IntoView + use<> {
    let look = look(rule);
    let summary = summary(alert).map(str::to_owned);
    let description =
        alert.annotations.get("description").filter(|it| Some(*it) != summary.as_ref()).cloned();
    view! {
        <article class=format!("service {}", look.class)>
            <header>
                <h3><bdi>{name(alert)}</bdi></h3>
                {state::mark(look)}
                {alert.labels.get("severity").cloned().map(|it| view! { <bdi class="ready">{it}</bdi> })}
                {time::since(alert.fired_at.unwrap_or(alert.active_at), now)}
            </header>
            {summary.map(|it| view! { <p class="reason"><bdi>{it}</bdi></p> })}
            {description.map(|it| view! { <p class="reason quiet"><bdi>{it}</bdi></p> })}
            {marks(alert, now)}
            {labels(alert)}
            <dl class="figures">
                {figure("value", words::significant(alert.value))}
                {figure("held since", words::clock(alert.active_at, now))}
                {figure("rule", format!("{} › {}", rule.file, rule.group))}
            </dl>
        </article>
    }
}

/// What keeps the alert from being plainly true: its data is gone, or its condition no longer holds.
fn marks(alert: &Alert, now: Timestamp) -> Option<impl IntoView + use<>> {
    let age = |at: Timestamp| words::span(now.since(at).as_secs());
    let blind = alert
        .no_data_since
        .map(|at| (state::of_tone(Tone::Unknown), format!("no data for {}: it stays as it was", age(at))));
    let kept = alert.keep_firing_since.map(|at| {
        let look = Look { class: "stopped", glyph: "‖", word: "kept" };
        (look, format!("the condition ended {} ago; it fires on for a while", age(at)))
    });
    let items: Vec<_> = blind
        .into_iter()
        .chain(kept)
        .map(|(look, words)| view! { <li>{state::mark(look)} " " {words}</li> })
        .collect();
    (!items.is_empty()).then(|| view! { <ul class="held">{items}</ul> })
}

/// The labels that tell it from others of its name.
fn labels(alert: &Alert) -> Option<impl IntoView + use<>> {
    let items: Vec<_> = alert
        .labels
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "alertname" | "severity"))
        .map(|(name, value)| view! { <li><bdi>{format!("{name}=\"{value}\"")}</bdi></li> })
        .collect();
    (!items.is_empty()).then(|| view! { <ul class="labels" aria-label="labels">{items}</ul> })
}

/// Conditions that hold, but not yet for long enough.
pub(crate) fn pending(rules: &[RuleView], now: Timestamp) -> Option<impl IntoView + use<>> {
    let total: u64 = rules.iter().map(|it| it.pending).sum();
    let rows: Vec<_> = rules
        .iter()
        .flat_map(|rule| rule.alerts.iter().map(move |alert| (rule, alert)))
        .filter(|(_, alert)| alert.state == AlertState::Pending)
        .take(ROWS)
        .map(|(rule, alert)| row(rule, alert, now))
        .collect();
    let more = total.saturating_sub(rows.len() as u64);
    (total > 0).then(|| {
        view! {
            <section>
                <h2 id="pending">"What may fire soon"</h2>
                <table aria-labelledby="pending">
                    <thead>
                        <tr>
                            <th scope="col">"alert"</th>
                            <th scope="col">"holds for"</th>
                            <th scope="col">"what"</th>
                            <th scope="col" class="number">"value"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
                {(more > 0).then(|| view! { <p class="quiet">{format!("and {} more", words::number(more))}</p> })}
            </section>
        }
    })
}

fn row(rule: &RuleView, alert: &Alert, now: Timestamp) -> impl IntoView + use<> {
    let held = now.since(alert.active_at).as_secs();
    let holds = format!("{} of {}", words::span(held), words::seconds(rule.for_s));
    let blind = alert.no_data_since.map(|at| {
        view! { " " {state::mark(Look { word: "no data", ..state::of_tone(Tone::Unknown) })} {format!(" for {}", words::span(now.since(at).as_secs()))} }
    });
    let what = summary(alert).map(str::to_owned);
    view! {
        <tr>
            <th scope="row"><bdi>{name(alert)}</bdi></th>
            <td data-name="holds for">{holds}{blind}</td>
            <td>{what.map(|it| view! { <bdi class="detail">{it}</bdi> })}{labels(alert)}</td>
            <td class="number" data-name="value">{words::significant(alert.value)}</td>
        </tr>
    }
}
