use leptos::prelude::*;
use ops_contract::{ReplicaPhase, ReplicaView, Timestamp};

use super::state;
use crate::words;

/// One tile of the replica strip: state, age, what it uses; how it last ended, when that matters.
pub(crate) fn tile(replica: &ReplicaView, now: Timestamp) -> impl IntoView + use<> {
    let it = &replica.state;
    let look = state::of_replica(it.phase);
    let mut facts = Vec::new();
    if it.phase.may_be_alive() {
        facts.extend(it.started_at.map(|at| format!("up {}", words::span(now.since(at).as_secs()))));
        facts.extend(it.usage.map(|usage| format!("{:.0} % CPU", usage.cpu_cores * 100.0)));
        facts.extend(it.usage.map(|usage| words::size(usage.memory_bytes)));
        facts.extend(it.port.map(|port| format!("port {port}")));
        facts.extend(it.pid.map(|pid| format!("pid {pid}")));
    } else {
        facts.push(words::ago(it.since, now));
        facts.extend(
            it.retry_at
                .filter(|at| *at > now)
                .map(|at| format!("again in {:.1} s", at.since(now).as_secs_f64())),
        );
    }
    if it.failures > 0 {
        facts.push(words::count(it.failures.into(), "failure"));
    }
    let calm = it.phase == ReplicaPhase::Ready && it.failures == 0;
    let detail = it.detail.clone().filter(|_| it.phase != ReplicaPhase::Ready);
    let ended = it
        .last_exit
        .as_ref()
        .filter(|_| !calm)
        .map(|exit| format!("last end: {}, {}", exit.meaning, words::ago(exit.at, now)));
    view! {
        <li class=format!("tile {}", look.class)>
            <span class="slot">{format!("#{}", replica.slot)}</span>
            {state::mark(look)}
            <span class="facts">{facts.join(" · ")}</span>
            {detail.map(|text| view! { <bdi class="detail">{text}</bdi> })}
            {ended.map(|text| view! { <bdi class="detail">{text}</bdi> })}
        </li>
    }
}
