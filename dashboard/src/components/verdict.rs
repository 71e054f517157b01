use leptos::prelude::*;
use ops_contract::{Timestamp, Verdict};

use super::state;
use crate::words;

/// The one sentence, as the page's only first heading.
pub(crate) fn verdict(verdict: &Verdict, now: Timestamp) -> impl IntoView + use<> {
    let look = state::of_tone(verdict.tone);
    let change = verdict.nearest_change.as_ref().map(|change| {
        let when = words::ago(change.at, now);
        view! {
            <p class="coincidence">
                "Changed shortly before: "
                <bdi>{change.summary.clone()}</bdi>
                {format!(" ({when}, by {}). It may be a coincidence.", change.actor)}
            </p>
        }
    });
    view! {
        <section class=format!("verdict {}", look.class)>
            <h1>
                <span class="glyph" aria-hidden="true">{look.glyph}</span>
                <span class="visually-hidden">{format!("{}: ", look.word)}</span>
                <bdi>{verdict.sentence.clone()}</bdi>
            </h1>
            {change}
        </section>
    }
}
