use leptos::prelude::*;
use ops_contract::Timestamp;

use crate::words;

/// A moment: how long ago, and the clock's time on a second line or hover.
pub(crate) fn since(at: Timestamp, now: Timestamp) -> impl IntoView {
    view! {
        <time datetime=words::iso(at)>
            <span class="ago">{words::ago(at, now)}</span>
            <span class="dot">" · "</span>
            <span class="clock">{words::clock(at, now)}</span>
        </time>
    }
}

/// A moment that may lie ahead: `in 12 d` or how long ago, and the clock's time.
pub(crate) fn around(at: Timestamp, now: Timestamp) -> impl IntoView {
    let relative = match at > now {
        true => format!("in {}", words::span(at.since(now).as_secs())),
        false => words::ago(at, now),
    };
    view! {
        <time datetime=words::iso(at)>
            <span class="ago">{relative}</span>
            <span class="dot">" · "</span>
            <span class="clock">{words::clock(at, now)}</span>
        </time>
    }
}
