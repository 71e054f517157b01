//! Rules that do not work: they cannot be silent about it.

use leptos::prelude::*;
use ops_contract::{RuleHealth, RuleView, Timestamp, Tone};

use super::state::{self, Look};
use super::time;
use crate::words;

/// It cannot be evaluated, or has lost its data.
pub(crate) fn is_unhealthy(rule: &RuleView) -> bool {
    matches!(rule.health, RuleHealth::Error | RuleHealth::NoData)
}

/// Why the rule does not work.
pub(crate) fn why(rule: &RuleView) -> String {
    match (&rule.last_error, rule.health) {
        (Some(error), _) if !error.is_empty() => error.clone(),
        (_, RuleHealth::NoData) => "what it reads had data and has none any more".to_owned(),
        (_, RuleHealth::Unknown) => "it was not evaluated yet".to_owned(),
        _ => "it could not be evaluated".to_owned(),
    }
}

/// How its evaluation goes; green only for what was evaluated on data that is there.
pub(crate) fn health(rule: &RuleView) -> Look {
    match rule.health {
        RuleHealth::Error => Look { class: "degraded", glyph: "▲", word: "fails" },
        RuleHealth::NoData => Look { word: "no data", ..state::of_tone(Tone::Unknown) },
        RuleHealth::Unknown => Look { word: "not evaluated", ..state::of_tone(Tone::Unknown) },
        RuleHealth::Ok => Look { class: "serving", glyph: "●", word: "works" },
    }
}

/// An expression, as a link to where it can be asked.
pub(crate) fn expression(expr: &str) -> impl IntoView + use<> {
    let path = format!("/explore?expr={}", words::query_value(expr));
    view! { <a class="expr" href=path><code><bdi>{expr.to_owned()}</bdi></code></a> }
}

/// The rules that do not work, and why.
pub(crate) fn unhealthy(rules: &[RuleView], now: Timestamp) -> Option<impl IntoView + use<>> {
    let cards: Vec<_> = rules.iter().filter(|it| is_unhealthy(it)).map(|it| card(it, now)).collect();
    (!cards.is_empty()).then(|| {
        view! {
            <section class="services" aria-labelledby="unhealthy">
                <h2 id="unhealthy">"Rules that do not work"</h2>
                {cards}
            </section>
        }
    })
}

fn card(rule: &RuleView, now: Timestamp) -> impl IntoView + use<> {
    let look = health(rule);
    let place = format!("{} › {}", rule.file, rule.group);
    view! {
        <article class=format!("service {}", look.class)>
            <header>
                <h3><bdi>{rule.name.clone()}</bdi></h3>
                {state::mark(look)}
                {rule.last_evaluated_at.map(|at| time::since(at, now))}
            </header>
            <p class="reason"><bdi>{why(rule)}</bdi></p>
            <p>{expression(&rule.expr)}</p>
            <p class="last-change"><bdi>{place}</bdi></p>
        </article>
    }
}
