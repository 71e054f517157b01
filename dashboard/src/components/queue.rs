use leptos::prelude::*;
use ops_contract::{QueueView, Tone};

use super::figure::figure;
use super::state;
use crate::words;

/// One queue: the sentence, then the figures behind it.
pub(crate) fn card(queue: &QueueView, several_stores: bool) -> impl IntoView + use<> {
    let look = state::of_tone(queue.tone);
    let paused = queue.sample.paused.then(|| view! { <span class="state stopped"><span class="glyph" aria-hidden="true">"‖"</span>"paused"</span> });
    let store = several_stores.then(|| view! { <bdi class="quiet">{queue.store.clone()}</bdi> });
    let old = (queue.tone == Tone::Unknown).then(
        || view! { <p class="quiet">{format!("As last seen, {} ago:", words::seconds(queue.age_s))}</p> },
    );
    let figures: Vec<_> = figures(queue).into_iter().map(|(name, value)| figure(name, value)).collect();
    view! {
        <article class=format!("service {}", look.class)>
            <header>
                <h2 class="name"><bdi>{queue.name.clone()}</bdi></h2>
                {state::mark(look)}
                {paused}
                {store}
            </header>
            <p class="reason"><bdi>{queue.summary.clone()}</bdi></p>
            {old}
            <dl class="figures">{figures}</dl>
        </article>
    }
}

fn figures(queue: &QueueView) -> Vec<(&'static str, String)> {
    let it = &queue.sample;
    let seconds = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), words::seconds);
    let mut oldest = seconds(it.oldest_age_s);
    if let Some(target) = queue.target_wait_s {
        oldest += &format!(" (target {})", words::seconds(target));
    }
    // Counters that lost events are too low.
    let rate =
        |per_s: f64| format!("{}{} /s", if it.exact { "" } else { "at least " }, words::decimal(per_s));
    let mut all = vec![
        ("waiting", words::number(it.waiting)),
        ("prioritized", words::number(it.prioritized)),
        ("active", words::number(it.active)),
        ("delayed", format!("{} ({} due)", words::number(it.delayed), words::number(it.delayed_due))),
        ("failed, kept", words::number(it.failed)),
        ("stalled", format!("{} /min", words::decimal(queue.rates.stalled_per_min))),
        ("oldest claimable", oldest),
        ("wait p95", seconds(it.wait_time.map(|spread| spread.p95_s))),
        ("run p95", seconds(it.run_time.map(|spread| spread.p95_s))),
        ("arrive", rate(queue.rates.arrivals_per_s)),
        ("finish", rate(queue.rates.finished_per_s)),
        ("clears in", clears(queue)),
        ("workers connected", it.workers.to_string()),
        ("schedulers", schedulers(&it.schedulers, &it.vanished_schedulers)),
    ];
    if it.waiting_children > 0 {
        all.push(("waiting for children", words::number(it.waiting_children)));
    }
    if let Some(limit) = it.limit {
        all.push(("rate limit", format!("{} in {}", limit.max, words::seconds(limit.per_s))));
    }
    if let Some(most) = it.global_concurrency {
        all.push(("at once, most", most.to_string()));
    }
    if !queue.services.is_empty() {
        let names: Vec<&str> = queue.services.iter().map(|name| name.as_str()).collect();
        all.push(("followed by", names.join(", ")));
    }
    all
}

fn clears(queue: &QueueView) -> String {
    match queue.clears_in_s {
        Some(within) => words::seconds(within),
        None if queue.tone == Tone::Unknown => "not known".to_owned(),
        None if queue.sample.claimable() == 0 => "–".to_owned(),
        None => "not at these rates".to_owned(),
    }
}

fn schedulers(known: &[String], gone: &[String]) -> String {
    match gone {
        [] => known.len().to_string(),
        gone => format!("{}, gone: {}", known.len(), words::first(gone)),
    }
}
