use leptos::prelude::*;
use ops_contract::{DeliveryStatus, NotificationsView, Tone};

use super::document::Document;
use crate::components::nav::{self, Place};
use crate::components::state::{self, Look};
use crate::components::{headline, notification, waiting};
use crate::words;

/// Notifications: who was told what, when, and did it arrive?
pub fn notifications_page(view: &NotificationsView, nonce: &str) -> String {
    let now = view.at;
    let (look, sentence) = answer(view);
    let head = Document {
        title: format!("{} Notifications · {}", look.glyph, look.word),
        glyph: look.glyph,
        refresh: None,
        nonce,
    };
    let cards: Vec<_> = view.notifications.iter().map(|it| notification::card(it, true, now)).collect();
    let older = view.next.as_ref().map(|next| {
        let path = format!("/notifications?before={}", words::query_value(next));
        view! { <p><a href=path>"Older notifications"</a></p> }
    });
    head.render(view! {
        {nav::bar(Place::Notifications, None)}
        <main id="main" tabindex="-1">
            {headline::headline(look, sentence)}
            {(!cards.is_empty()).then(|| view! {
                <section class="services">
                    <h2>"Who was told, newest first"</h2>
                    {cards}
                </section>
            })}
            {older}
        </main>
        <footer>{format!("As of {} · load it again to see what is new", words::clock(now, now))}</footer>
    })
}

/// What waits first, then what never arrived, then that all did.
fn answer(view: &NotificationsView) -> (Look, String) {
    let now = view.at;
    if view.waiting > 0 {
        let late = waiting::is_late(view.waiting_since, now);
        let look = if late { state::of_tone(Tone::Degraded) } else { state::of_tone(Tone::Starting) };
        let sentence = waiting::sentence(view.waiting, view.waiting_since, now);
        return (Look { word: "waiting", ..look }, sentence);
    }
    let deliveries = || view.notifications.iter().flat_map(|it| &it.deliveries);
    let dead = deliveries().filter(|it| it.status == DeliveryStatus::Dead).count();
    if dead > 0 {
        let look = Look { word: "lost", ..state::of_tone(Tone::Degraded) };
        let what = match dead {
            1 => "1 message of those below was given up".to_owned(),
            more => format!("{more} messages of those below were given up"),
        };
        return (look, what);
    }
    match view.notifications.is_empty() {
        true => (state::of_tone(Tone::Unknown), "Nobody was told of anything".to_owned()),
        false => {
            let look = Look { word: "delivered", ..state::of_tone(Tone::Serving) };
            (look, "Every message below has arrived, or a newer one in its place".to_owned())
        }
    }
}
