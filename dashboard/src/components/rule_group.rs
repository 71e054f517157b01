//! All rules by file and group, each group a table that opens by itself when something in it is to be looked at.

use std::collections::BTreeMap;

use leptos::prelude::*;
use ops_contract::{RuleHealth, RuleKind, RuleView, Timestamp, Tone};

use super::state::{self, Look};
use super::{alert, rule};
use crate::words;

/// Every rule.
pub(crate) fn all(rules: &[RuleView], now: Timestamp) -> Option<impl IntoView + use<>> {
    let mut groups: BTreeMap<(&str, &str), Vec<&RuleView>> = BTreeMap::new();
    for rule in rules {
        groups.entry((&rule.file, &rule.group)).or_default().push(rule);
    }
    let groups: Vec<_> =
        groups.into_iter().map(|((file, name), rules)| group(file, name, &rules, now)).collect();
    (!groups.is_empty()).then(|| {
        view! {
            <section>
                <h2>"All rules"</h2>
                {groups}
            </section>
        }
    })
}

fn group(file: &str, name: &str, rules: &[&RuleView], now: Timestamp) -> impl IntoView + use<> {
    let called = format!("{file} › {name}");
    let eventful =
        rules.iter().any(|it| it.health != RuleHealth::Ok || (it.firing > 0 && !alert::is_heartbeat(it)));
    let rows: Vec<_> = rules.iter().map(|it| row(it, now)).collect();
    view! {
        <details open=eventful>
            <summary><bdi>{called.clone()}</bdi>{format!(" · {}", digest(rules))}</summary>
            <table>
                <caption class="visually-hidden">{format!("Rules of {called}")}</caption>
                <thead>
                    <tr>
                        <th scope="col">"rule"</th>
                        <th scope="col">"state"</th>
                        <th scope="col">"expression"</th>
                        <th scope="col">"for"</th>
                        <th scope="col">"evaluated"</th>
                        <th scope="col" class="number">"took"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </details>
    }
}

/// `12 rules, 1 firing, 2 pending, 1 not working`.
fn digest(rules: &[&RuleView]) -> String {
    let unhealthy = rules.iter().filter(|it| rule::is_unhealthy(it)).count() as u64;
    let unknown = rules.iter().filter(|it| it.health == RuleHealth::Unknown).count() as u64;
    let firing = rules.iter().map(|it| it.firing).sum();
    let pending = rules.iter().map(|it| it.pending).sum();
    let mut words = words::count(rules.len(), "rule");
    for (count, what) in
        [(firing, "firing"), (pending, "pending"), (unhealthy, "not working"), (unknown, "not evaluated yet")]
    {
        if count > 0 {
            words += &format!(", {} {what}", words::number(count));
        }
    }
    words
}

fn row(it: &RuleView, now: Timestamp) -> impl IntoView + use<> {
    let recorded = (it.kind == RuleKind::Recording).then(|| view! { <span class="quiet">" records"</span> });
    let evaluated = it.last_evaluated_at.map_or_else(|| "never".to_owned(), |at| words::ago(at, now));
    let took = match it.last_evaluated_at {
        Some(_) => format!("{} ms", words::significant(it.evaluation_s * 1_000.0)),
        None => "–".to_owned(),
    };
    let holds = match it.for_s {
        s if s > 0.0 => words::seconds(s),
        _ => "–".to_owned(),
    };
    let kept = (it.keep_firing_for_s > 0.0)
        .then(|| view! { <span class="quiet">{format!(", fires on for {}", words::seconds(it.keep_firing_for_s))}</span> });
    view! {
        <tr>
            <th scope="row"><bdi>{it.name.clone()}</bdi>{recorded}</th>
            <td>{marks(it)}</td>
            <td>{rule::expression(&it.expr)}</td>
            <td data-name="for">{holds}{kept}</td>
            <td data-name="evaluated">{evaluated}</td>
            <td class="number" data-name="took">{took}</td>
        </tr>
    }
}

/// Whether it works, then what it makes of that. A rule that was evaluated and yet is not well is not green either.
fn marks(it: &RuleView) -> Vec<AnyView> {
    let mut marks = Vec::new();
    let mut mark = |look: Look| marks.extend([state::mark(look).into_any(), view! { " " }.into_any()]);
    let doubtful =
        it.health == RuleHealth::Ok && it.firing == 0 && it.pending == 0 && it.tone != Tone::Serving;
    match it.health {
        RuleHealth::Ok if it.firing > 0 || it.pending > 0 => {}
        RuleHealth::Ok if doubtful => mark(state::of_tone(it.tone)),
        _ => mark(rule::health(it)),
    }
    if it.firing > 0 {
        mark(alert::look(it));
    }
    if it.pending > 0 {
        mark(Look { word: "pending", ..state::of_tone(Tone::Starting) });
    }
    marks
}
