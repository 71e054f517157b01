use std::collections::BTreeMap;

use leptos::prelude::*;
use ops_contract::{ManualScale, ScalingDecision, ScalingServiceView, ScalingState, Timestamp};

use super::figure::figure;
use super::state::{self, Look};
use super::{scaling_chart, time};
use crate::words;

/// How a decision's ground looks and is called.
pub(crate) fn look(state: ScalingState) -> Look {
    let (class, glyph, word) = match state {
        ScalingState::Unknown => ("unknown", "◇", "unknown"),
        ScalingState::Measured => ("serving", "●", "measured"),
        ScalingState::Manual => ("stopped", "‖", "set by hand"),
        ScalingState::Fixed => ("starting", "■", "fixed"),
    };
    Look { class, glyph, word }
}

/// One service: how many, why, on what ground, and how it came to it.
pub(crate) fn card(service: &ScalingServiceView, now: Timestamp) -> impl IntoView + use<> {
    let (signal, look) = (&service.signal, look(service.signal.state));
    let name = signal.service.to_string();
    let held: Vec<_> =
        signal.held.iter().map(|held| view! { <li>"held: " <bdi>{held.clone()}</bdi></li> }).collect();
    let held = (!held.is_empty()).then(|| view! { <ul class="held">{held}</ul> });
    let bounds = format!("{} to {}", signal.bounds.min, signal.bounds.max);
    // A service that follows nothing has no history to be shown.
    let chart = (signal.state != ScalingState::Fixed || !service.history.is_empty())
        .then(|| scaling_chart::chart(&name, &service.history, signal.bounds.max, now));
    view! {
        <article class=format!("service {}", look.class) id=format!("scaling-{name}")>
            <header>
                <h2 class="name"><bdi>{name.clone()}</bdi></h2>
                {state::mark(look)}
                <span class="ready">{format!("{} wanted", signal.desired)}</span>
                {time::since(signal.decided_at, now)}
            </header>
            <p class="reason"><bdi>{signal.reason.clone()}</bdi></p>
            {held}
            {signal.manual.as_ref().map(|it| manual(it, now))}
            <dl class="figures">
                {figure("wanted", signal.desired.to_string())}
                {figure("running", signal.current.to_string())}
                {figure("ready", service.ready.to_string())}
                {figure("allowed", bounds)}
            </dl>
            {inputs(&name, &signal.inputs)}
            {chart}
            {decisions(&name, &service.decisions, now)}
        </article>
    }
}

fn manual(it: &ManualScale, now: Timestamp) -> impl IntoView + use<> {
    let until = it
        .until
        .map_or_else(|| "until withdrawn".to_owned(), |at| format!("until {}", words::clock(at, now)));
    let why = if it.reason.is_empty() { String::new() } else { format!(": {}", it.reason) };
    view! { <p><bdi>{format!("{} set {} by hand, {until}{why}", it.by, it.replicas)}</bdi></p> }
}

fn inputs(name: &str, inputs: &BTreeMap<String, f64>) -> Option<impl IntoView + use<>> {
    let rows: Vec<_> = inputs
        .iter()
        .map(|(name, value)| {
            view! {
                <tr>
                    <th scope="row"><bdi>{name.replace('_', " ")}</bdi></th>
                    <td class="number">{words::decimal(*value)}</td>
                </tr>
            }
        })
        .collect();
    (!rows.is_empty()).then(|| {
        view! {
            <details>
                <summary>"The figures that it rests on"</summary>
                <table class="compact">
                    <caption class="visually-hidden">{format!("Inputs of the decision on {name}")}</caption>
                    <thead><tr><th scope="col">"figure"</th><th scope="col" class="number">"value"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </details>
        }
    })
}

fn decisions(name: &str, decisions: &[ScalingDecision], now: Timestamp) -> Option<impl IntoView + use<>> {
    let items: Vec<_> = decisions
        .iter()
        .map(|it| {
            let step = match it.from == it.to {
                true => format!("stays at {}", it.to),
                false => format!("{} → {}", it.from, it.to),
            };
            let held: String = it.held.iter().map(|held| format!(" · held: {held}")).collect();
            view! {
                <li>
                    {time::since(it.at, now)}
                    <span class="what"><b>{step}</b> " " <bdi>{it.reason.clone()}</bdi> <bdi class="actor">{held}</bdi></span>
                </li>
            }
        })
        .collect();
    (!items.is_empty()).then(|| {
        view! {
            <h3 class="small">"Last decisions"<span class="visually-hidden">{format!(" on {name}")}</span></h3>
            <ol class="changes">{items}</ol>
        }
    })
}
