use leptos::prelude::*;
use ops_contract::{ScalingState, ScalingView};

use super::document::Document;
use crate::components::nav::{self, Place};
use crate::components::state::{self, Look};
use crate::components::{headline, scaled_service};
use crate::words;

/// How often the page asks again, without any script; seldom enough to read an opened table.
const REFRESH_SECONDS: u32 = 15;

/// Scaling: why this many replicas?
pub fn scaling_page(view: &ScalingView, nonce: &str) -> String {
    let now = view.at;
    let (look, sentence) = answer(view);
    let head = Document {
        title: format!("{} Scaling · {}", look.glyph, look.word),
        glyph: look.glyph,
        refresh: Some(REFRESH_SECONDS),
        nonce,
    };
    let unavailable = view
        .history_unavailable
        .clone()
        .map(|why| view! { <p class="banner" role="status"><bdi>{why}</bdi></p> });
    let cards: Vec<_> = view.services.iter().map(|it| scaled_service::card(it, now)).collect();
    head.render(view! {
        {nav::bar(Place::Scaling, None)}
        <main id="main" tabindex="-1">
            {unavailable}
            {headline::headline(look, sentence)}
            {(!cards.is_empty()).then(|| view! { <section class="services">{cards}</section> })}
        </main>
        <footer>
            {format!("As of {} · this page asks again every {REFRESH_SECONDS} s", words::clock(now, now))}
        </footer>
    })
}

/// What is not known first, then what is on its way, then that all is as it should be.
fn answer(view: &ScalingView) -> (Look, String) {
    let look = |class, glyph, word| Look { class, glyph, word };
    if let Some(it) = view.services.iter().find(|it| it.signal.state == ScalingState::Unknown) {
        let sentence =
            format!("{} is held at {}: {}", it.signal.service, it.signal.desired, it.signal.reason);
        return (scaled_service::look(ScalingState::Unknown), sentence);
    }
    if let Some(it) = view.services.iter().find(|it| it.ready != it.signal.desired) {
        let signal = &it.signal;
        let sentence = format!(
            "{} goes from {} to {} replicas: {}",
            signal.service, it.ready, signal.desired, signal.reason
        );
        return (look("starting", "◔", "under way"), sentence);
    }
    let sentence = match view.services.len() {
        0 => "There may be one replica of each service and no more".to_owned(),
        _ => "Every service has as many replicas as it should".to_owned(),
    };
    (state::of_tone(ops_contract::Tone::Serving), sentence)
}
