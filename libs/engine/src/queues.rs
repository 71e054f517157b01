//! Queue reports into state, and what changes per second between them.

use std::collections::BTreeMap;

use ops_contract::{QueueRates, QueueReport, QueueSample, SystemState, Timestamp};

/// Over which time arrivals and finishes are smoothed, in seconds.
const RATE_OVER_S: f64 = 30.0;
/// The same for stalled jobs, which are rare.
const STALLED_OVER_S: f64 = 300.0;

/// Folds what an agent saw of a store's queues. A fault leaves what was known and lets it age.
pub(crate) fn fold(state: &mut SystemState, report: &QueueReport, now: Timestamp) {
    let store = state.queues.entry(report.store.clone()).or_default();
    if let Some(fault) = &report.fault {
        let since = store.fault.as_ref().map_or(now, |(_, since)| *since);
        store.fault = Some((fault.clone(), since));
        return;
    }
    if let Some(last) = &store.last
        && last.epoch == report.epoch
    {
        if report.at <= last.at {
            return;
        }
        let elapsed_s = report.at.since(last.at).as_secs_f64();
        let rates = report.queues.iter().filter_map(|(name, sample)| {
            let before = last.queues.get(name)?;
            Some((name.clone(), rates(store.rates.get(name), before, sample, elapsed_s)))
        });
        let rates: BTreeMap<_, _> = rates.collect();
        store.rates = rates;
    }
    store.last = Some(report.clone());
    store.seen_at = now;
    store.fault = None;
}

fn rates(
    known: Option<&QueueRates>,
    before: &QueueSample,
    sample: &QueueSample,
    elapsed_s: f64,
) -> QueueRates {
    let per_s = |now: u64, then: u64| now.saturating_sub(then) as f64 / elapsed_s;
    let smooth = |old: Option<f64>, new: f64, over_s: f64| match old {
        Some(old) => new + (old - new) * (-elapsed_s / over_s).exp(),
        None => new,
    };
    let arrivals = per_s(sample.arrivals_total, before.arrivals_total);
    let finished = per_s(sample.finished_total(), before.finished_total());
    let stalled = per_s(sample.stalled_total, before.stalled_total) * 60.0;
    QueueRates {
        arrivals_per_s: smooth(known.map(|it| it.arrivals_per_s), arrivals, RATE_OVER_S),
        finished_per_s: smooth(known.map(|it| it.finished_per_s), finished, RATE_OVER_S),
        stalled_per_min: smooth(known.map(|it| it.stalled_per_min), stalled, STALLED_OVER_S),
    }
}
