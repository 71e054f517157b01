use leptos::prelude::*;
use ops_contract::{QueuesView, Tone};

use super::document::Document;
use crate::components::nav::{self, Place};
use crate::components::{headline, queue, queue_store, state};
use crate::words;

/// How often the page asks again, without any script.
const REFRESH_SECONDS: u32 = 5;

/// Queues: will users notice, and will it clear?
pub fn queues_page(view: &QueuesView, nonce: &str) -> String {
    let now = view.at;
    let (tone, sentence) = answer(view);
    let look = state::of_tone(tone);
    let head = Document {
        title: format!("{} Queues · {}", look.glyph, look.word),
        glyph: look.glyph,
        refresh: Some(REFRESH_SECONDS),
        nonce,
    };
    let cards: Vec<_> = view.queues.iter().map(|it| queue::card(it, view.stores.len() > 1)).collect();
    head.render(view! {
        {nav::bar(Place::Queues, None)}
        <main id="main" tabindex="-1">
            {queue_store::banners(&view.stores)}
            {headline::headline(look, sentence)}
            {(!cards.is_empty()).then(|| view! { <section class="services">{cards}</section> })}
            {queue_store::table(&view.stores)}
        </main>
        <footer>
            {format!("As of {} · this page asks again every {REFRESH_SECONDS} s", words::clock(now, now))}
        </footer>
    })
}

/// The worst in one sentence.
fn answer(view: &QueuesView) -> (Tone, String) {
    if view.stores.is_empty() {
        let how = "No queue is watched: the stack file has no [valkey.NAME.queues]";
        return (Tone::Unknown, how.to_owned());
    }
    let tones = view.stores.iter().map(|it| it.tone).chain(view.queues.iter().map(|it| it.tone));
    let tone = tones.max().unwrap_or(Tone::Unknown);
    let unwell = view.queues.iter().filter(|it| it.tone != Tone::Serving).count();
    let sentence = match view.queues.first() {
        None if tone == Tone::Serving => "No queue has been found yet".to_owned(),
        None => "Nothing is known of any queue".to_owned(),
        Some(worst) if unwell > 0 => {
            let more = match unwell - 1 {
                0 => String::new(),
                more => format!(" · {more} more to look at"),
            };
            format!("{}: {}{more}", worst.name, worst.summary)
        }
        Some(_) if tone != Tone::Serving => "The queues flow, but their store is not safe".to_owned(),
        Some(_) => {
            format!("Users notice nothing: all is well with {}", words::count(view.queues.len(), "queue"))
        }
    };
    (tone, sentence)
}
