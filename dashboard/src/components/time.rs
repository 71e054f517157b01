use leptos::prelude::*;
use ops_contract::Timestamp;

use crate::words;

/// A moment: how long ago, and the clock's time on a second line or hover.
pub(crate) fn since(at: Timestamp, now: Timestamp) -> impl IntoView {
    view! {
        <time datetime=words::iso(at)>
            <span class="ago">{words::ago(at, now)}</span>
            " · "
            <span class="clock">{words::clock(at, now)}</span>
        </time>
    }
}
