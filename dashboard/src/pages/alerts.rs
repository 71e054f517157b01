use std::time::Duration;

use leptos::prelude::*;
use ops_contract::{AlertsView, RuleHealth, RuleView, Timestamp, Tone};

use super::document::Document;
use crate::components::nav::{self, Place};
use crate::components::state::{self, Look};
use crate::components::{alert, headline, rule, rule_group};
use crate::words;

/// How often the page asks again, without any script; seldom enough to read an opened table.
const REFRESH_SECONDS: u32 = 15;
/// When no rule at all was evaluated for so long, what is shown is the past.
const STALE: Duration = Duration::from_secs(300);

/// Alerts: what fires, since when, and does every rule work?
pub fn alerts_page(view: &AlertsView, nonce: &str) -> String {
    let now = view.at;
    let (look, sentence) = answer(view);
    let head = Document {
        title: format!("{} Alerts · {}", look.glyph, look.word),
        glyph: look.glyph,
        refresh: Some(REFRESH_SECONDS),
        nonce,
    };
    let faults: Vec<_> = view.load_faults.iter().map(|it| fault(it)).collect();
    let remote = view.query_url.clone().map(
        |url| view! { <p class="quiet">"Expressions are evaluated at " <bdi>{url}</bdi> ", not here."</p> },
    );
    head.render(view! {
        {nav::bar(Place::Alerts, None)}
        <main id="main" tabindex="-1">
            {faults}
            {headline::headline(look, sentence)}
            {remote}
            {alert::firing(&view.rules, now)}
            {rule::unhealthy(&view.rules, now)}
            {alert::pending(&view.rules, now)}
            {rule_group::all(&view.rules, now)}
        </main>
        <footer>
            {format!("As of {} · this page asks again every {REFRESH_SECONDS} s", words::clock(now, now))}
        </footer>
    })
}

fn fault(why: &str) -> impl IntoView + use<> {
    view! {
        <p class="banner degraded" role="status">
            <span class="glyph" aria-hidden="true">"▲"</span>
            <span class="visually-hidden">"degraded: "</span>
            <bdi>{format!("A rule file was not loaded; what it held before is still evaluated: {why}")}</bdi>
        </p>
    }
}

/// What fires first, then what could not tell if it did, then that all is well.
fn answer(view: &AlertsView) -> (Look, String) {
    let stale = stale(view);
    let late = |sentence: String| match stale {
        Some(at) => format!("{sentence} · no rule was evaluated since {}", moment(at, view.at)),
        None => sentence,
    };
    if let Some((look, sentence)) = firing(view) {
        return (look, late(sentence));
    }
    if view.rules.is_empty() {
        return (state::of_tone(Tone::Unknown), "There are no rules: nothing can fire".to_owned());
    }
    if let Some(at) = stale {
        let sentence = format!("Nothing is known: no rule was evaluated since {}", moment(at, view.at));
        return (state::of_tone(Tone::Unknown), sentence);
    }
    doubts(view).unwrap_or_else(|| calm(view))
}

/// `03:12:00 UTC (6 min)`.
fn moment(at: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", words::clock(at, now), words::span(now.since(at).as_secs()))
}

/// The last time any rule was evaluated, when that is too long ago.
fn stale(view: &AlertsView) -> Option<Timestamp> {
    let newest = view.rules.iter().filter_map(|it| it.last_evaluated_at).max()?;
    (view.at.since(newest) > STALE).then_some(newest)
}

fn firing(view: &AlertsView) -> Option<(Look, String)> {
    let rules: Vec<&RuleView> =
        view.rules.iter().filter(|it| it.firing > 0 && !alert::is_heartbeat(it)).collect();
    let count: u64 = rules.iter().map(|it| it.firing).sum();
    let worst = rules.iter().map(|it| it.tone).max()?.max(Tone::Degraded);
    let look = Look { word: "firing", ..state::of_tone(worst) };
    let first = alert::firing_of(&rules).next().map(|(_, it)| {
        let since = moment(it.fired_at.unwrap_or(it.active_at), view.at);
        let what = alert::summary(it).map(|words| format!(": {words}")).unwrap_or_default();
        let name = alert::name(it);
        match count {
            1 => format!(" since {since}: {name}{what}"),
            _ => format!("; the worst since {since}: {name}{what}"),
        }
    });
    let fires = if count == 1 { "1 alert fires".to_owned() } else { format!("{count} alerts fire") };
    let unhealthy = match view.unhealthy {
        0 => String::new(),
        1 => " · 1 rule does not work".to_owned(),
        more => format!(" · {more} rules do not work"),
    };
    Some((look, format!("{fires}{}{unhealthy}", first.unwrap_or_default())))
}

/// Why silence is not yet good news.
fn doubts(view: &AlertsView) -> Option<(Look, String)> {
    let total = view.rules.len();
    let unwell: Vec<&RuleView> = view.rules.iter().filter(|it| rule::is_unhealthy(it)).collect();
    if let Some(worst) = unwell.first() {
        let tone = unwell.iter().map(|it| it.tone).max().unwrap_or(Tone::Unknown).max(Tone::Unknown);
        let count = if unwell.len() == 1 {
            format!("1 of {} does not work", words::count(total, "rule"))
        } else {
            format!("{} of {} do not work", unwell.len(), words::count(total, "rule"))
        };
        let sentence = format!("Nothing fires, but {count}: {}: {}", worst.name, rule::why(worst));
        return Some((state::of_tone(tone), sentence));
    }
    if let Some(fault) = view.load_faults.first() {
        let sentence = format!("Nothing fires, but a rule file was not loaded: {fault}");
        return Some((state::of_tone(Tone::Degraded), sentence));
    }
    let waiting = view.rules.iter().filter(|it| it.health == RuleHealth::Unknown).count();
    (waiting > 0).then(|| {
        let sentence = format!(
            "Nothing fires as far as is known: {waiting} of {} not evaluated yet",
            words::count(total, "rule")
        );
        (state::of_tone(Tone::Unknown), sentence)
    })
}

fn calm(view: &AlertsView) -> (Look, String) {
    let all = match view.rules.len() {
        1 => "the one rule works".to_owned(),
        more => format!("all {more} rules work"),
    };
    match view.pending {
        0 => (Look { word: "quiet", ..state::of_tone(Tone::Serving) }, format!("Nothing fires, and {all}")),
        pending => {
            let look = Look { word: "pending", ..state::of_tone(Tone::Starting) };
            let pending = words::count(usize::try_from(pending).unwrap_or(usize::MAX), "alert");
            (look, format!("Nothing fires yet, {pending} pending; {all}"))
        }
    }
}
