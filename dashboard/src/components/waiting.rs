use leptos::prelude::*;
use ops_contract::Timestamp;

use crate::words;

/// So long a message may be on its way before it counts as held up, in seconds.
const USUAL: u64 = 60;

/// Whether the oldest waits for longer than is usual.
pub(crate) fn is_late(since: Option<Timestamp>, now: Timestamp) -> bool {
    since.is_none_or(|at| now.since(at).as_secs() > USUAL)
}

/// `3 messages wait, the oldest since 11:54:00 UTC (6 min)`.
pub(crate) fn sentence(count: u64, since: Option<Timestamp>, now: Timestamp) -> String {
    let what = if count == 1 {
        "1 message waits".to_owned()
    } else {
        format!("{} messages wait", words::number(count))
    };
    match since {
        Some(at) => {
            let age = words::span(now.since(at).as_secs());
            format!("{what}, the oldest since {} ({age})", words::clock(at, now))
        }
        None => what,
    }
}

/// A warning that messages wait for longer than is usual.
pub(crate) fn banner(count: u64, since: Option<Timestamp>, now: Timestamp) -> Option<impl IntoView + use<>> {
    (count > 0 && is_late(since, now)).then(|| {
        warning(format!("{}: whoever should know may not have been told", sentence(count, since, now)))
    })
}

/// A warning above the answer.
pub(crate) fn warning(text: String) -> impl IntoView + use<> {
    view! {
        <p class="banner degraded" role="status">
            <span class="glyph" aria-hidden="true">"▲"</span>
            <span class="visually-hidden">"degraded: "</span>
            <bdi>{text}</bdi>
        </p>
    }
}
