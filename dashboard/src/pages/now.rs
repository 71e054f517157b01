use leptos::prelude::*;
use ops_contract::{NowView, ServiceRole};

use super::document::Document;
use crate::components::nav::{self, Place};
use crate::components::{changes, service, state, stores, verdict};
use crate::words;

/// How often the page asks again, without any script.
const REFRESH_SECONDS: u32 = 5;

/// The first page: what is broken, since when, why, what changed.
pub fn now_page(view: &NowView, nonce: &str) -> String {
    let now = view.at;
    let look = state::of_tone(view.verdict.tone);
    let head = Document {
        title: format!("{} {} · {}", look.glyph, view.stack, look.word),
        glyph: look.glyph,
        refresh: Some(REFRESH_SECONDS),
        nonce,
    };
    let unavailable = view
        .history_unavailable
        .clone()
        .map(|why| view! { <p class="banner" role="status"><bdi>{why}</bdi></p> });
    let age = match view.data_age_s {
        Some(age) => format!("data {} old", words::span(age as u64)),
        None => "no agent has reported".to_owned(),
    };
    head.render(view! {
        {nav::bar(Place::Now, Some(view.stack.clone()))}
        <main id="main" tabindex="-1">
            {unavailable}
            {verdict::verdict(&view.verdict, now)}
            {service::section("Services", ServiceRole::Frontend, &view.services, now)}
            {service::section("Behind them", ServiceRole::Background, &view.services, now)}
            {stores::table(&view.dependencies, now)}
            {service::section("Run for development", ServiceRole::Infrastructure, &view.services, now)}
            {changes::list(&view.changes, now)}
        </main>
        <footer>
            {format!("As of {} · {age} · this page asks again every {REFRESH_SECONDS} s", words::clock(now, now))}
        </footer>
    })
}
