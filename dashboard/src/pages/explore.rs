use leptos::prelude::*;
use ops_contract::{ExploreView, Tone};

use super::document::Document;
use crate::components::nav::{self, Place};
use crate::components::state::{self, Look};
use crate::components::{headline, series_chart, series_table};
use crate::words;

/// The lengths that can be chosen: as written, as read, in seconds.
const RANGES: [(&str, &str, u64); 5] = [
    ("5m", "5 minutes", 300),
    ("15m", "15 minutes", 900),
    ("1h", "1 hour", 3_600),
    ("6h", "6 hours", 21_600),
    ("1d", "1 day", 86_400),
];

/// Explore: what does this expression say, now and over a while?
pub fn explore_page(view: &ExploreView, nonce: &str) -> String {
    let (look, sentence) = answer(view);
    // It does not ask again by itself: that would take away what is being written.
    let head = Document {
        title: format!("{} Explore · {}", look.glyph, look.word),
        glyph: look.glyph,
        refresh: None,
        nonce,
    };
    let warnings: Vec<_> = view.warnings.iter().map(|it| warning(it)).collect();
    let took = match view.expr.is_empty() {
        true => String::new(),
        false => format!(" · took {} ms", words::significant(view.took_ms)),
    };
    head.render(view! {
        {nav::bar(Place::Explore, None)}
        <main id="main" tabindex="-1">
            {headline::headline(look, sentence)}
            {form(view)}
            {warnings}
            {series_chart::chart(view)}
            {series_table::table(view)}
        </main>
        <footer>{format!("As of {}{took}", words::clock(view.at, view.at))}</footer>
    })
}

fn answer(view: &ExploreView) -> (Look, String) {
    let look = |class, glyph, word| Look { class, glyph, word };
    if let Some(error) = &view.error {
        return (Look { word: "no answer", ..state::of_tone(Tone::Degraded) }, format!("No answer: {error}"));
    }
    if view.expr.is_empty() {
        return (look("starting", "?", "nothing asked"), "What does an expression say?".to_owned());
    }
    let now = view.rows.iter().filter(|it| it.value.is_some()).count();
    let sentence = match (view.rows.as_slice(), view.total) {
        ([], _) => return (look("unknown", "◇", "no series"), "No series answers".to_owned()),
        ([one], 0 | 1) => match &one.value {
            Some(value) => format!("It is {value} now"),
            None => "One series answers, and has no value now".to_owned(),
        },
        (_, total) => {
            let total = total.max(view.rows.len() as u64);
            let valued = if (view.rows.len() as u64) < total { "of those shown " } else { "" };
            let number = |it: usize| words::number(it as u64);
            format!("{} series answer; {valued}{} have a value now", words::number(total), number(now))
        }
    };
    (look("starting", "=", "answer"), sentence)
}

fn form(view: &ExploreView) -> impl IntoView + use<> {
    let chosen = match view.range_s {
        0 => 3_600,
        asked => asked,
    };
    let options: Vec<_> = RANGES
        .iter()
        .map(|(value, name, seconds)| {
            view! { <option value=*value selected=*seconds == chosen>{*name}</option> }
        })
        .collect();
    let metrics: Vec<_> =
        view.metrics.iter().map(|it| view! { <option value=it.clone()></option> }).collect();
    let wrong = view.error.is_some().then_some("true");
    view! {
        <form class="ask" method="get" action="/explore" role="search">
            <label for="expr">"Expression (PromQL)"</label>
            <input id="expr" name="expr" type="text" list="metrics" value=view.expr.clone() required=true
                maxlength="16384" autocomplete="off" autocapitalize="off" spellcheck="false" aria-invalid=wrong/>
            <datalist id="metrics">{metrics}</datalist>
            <label for="range">"Range"</label>
            <select id="range" name="range">{options}</select>
            <button>"Ask"</button>
        </form>
    }
}

fn warning(text: &str) -> impl IntoView + use<> {
    view! {
        <p class="banner degraded" role="status">
            <span class="glyph" aria-hidden="true">"▲"</span>
            <span class="visually-hidden">"warning: "</span>
            <bdi>{text.to_owned()}</bdi>
        </p>
    }
}
