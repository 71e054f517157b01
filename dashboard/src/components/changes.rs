use leptos::prelude::*;
use ops_contract::{Change, Timestamp};

use super::time;

/// The latest changes, newest first.
pub(crate) fn list(changes: &[Change], now: Timestamp) -> impl IntoView + use<> {
    let items: Vec<_> = changes
        .iter()
        .map(|change| {
            view! {
                <li>
                    {time::since(change.at, now)}
                    <span class="what"><bdi>{change.summary.clone()}</bdi> " " <span class="actor">"by " <bdi>{change.actor.clone()}</bdi></span></span>
                </li>
            }
        })
        .collect();
    let empty = items.is_empty().then(|| view! { <p class="quiet">"Nothing has changed yet."</p> });
    view! {
        <section>
            <h2>"What changed"</h2>
            {empty}
            <ol class="changes">{items}</ol>
        </section>
    }
}
