//! How each queue does: will users notice, and will it clear?

use std::time::Duration;

use ops_contract::{
    QueueRates, QueueSample, QueueStoreState, QueueStoreView, QueueView, QueuesView, ScaleSpec, ServiceName,
    Stack, SystemState, Timestamp, Tone,
};

use crate::queue_words::{self, Told};

/// Three looks of an agent: what is older is not known any more.
pub const QUEUES_STALE_AFTER: Duration = Duration::from_secs(6);

/// Waiting jobs from which on a queue is degraded, and from which on it is down, whatever their age.
const DEEP: u64 = 1_000;
const FAR_TOO_DEEP: u64 = 5_000;
/// A wait this many times the target is one that users do not sit out.
const HOPELESS: f64 = 4.0;
/// One stalled job weighs this much for about seven minutes (the rate is smoothed and never comes back to zero).
const STALLS_PER_MIN: f64 = 0.05;
/// A backlog that takes longer than this does not clear.
const LONGEST_CLEARING_S: f64 = 30.0 * 86_400.0;
/// The only policy under which Valkey keeps every job.
const SAFE_POLICY: &str = "noeviction";

/// What `/queues` shows, the worst first.
pub fn queues_view(stack: &Stack, state: &SystemState, now: Timestamp) -> QueuesView {
    let watched = stack.valkey.iter().filter(|(_, spec)| spec.queues.is_some());
    let mut names: Vec<String> = watched.map(|(name, _)| format!("valkey.{name}")).collect();
    names.extend(state.queues.keys().cloned());
    names.sort_unstable();
    names.dedup();
    let nothing = QueueStoreState::default();
    let mut view = QueuesView { stores: Vec::new(), queues: Vec::new(), at: now };
    for name in names {
        let known = state.queues.get(&name).unwrap_or(&nothing);
        let last = known.last.iter().flat_map(|report| &report.queues);
        view.queues.extend(last.map(|(queue, sample)| judge(stack, &name, known, queue, sample, now)));
        view.stores.push(store(name, known, now));
    }
    view.stores.sort_by(|a, b| b.tone.cmp(&a.tone).then_with(|| a.name.cmp(&b.name)));
    view.queues.sort_by(|a, b| {
        let depth = b.sample.claimable().cmp(&a.sample.claimable());
        b.tone.cmp(&a.tone).then(depth).then_with(|| (&a.name, &a.store).cmp(&(&b.name, &b.store)))
    });
    view
}

/// Whether what is known of a store's queues may still be told as the present.
pub fn queues_fresh(store: &QueueStoreState, now: Timestamp) -> bool {
    store.last.is_some() && store.fault.is_none() && now.since(store.seen_at) <= QUEUES_STALE_AFTER
}

fn store(name: String, known: &QueueStoreState, now: Timestamp) -> QueueStoreView {
    let mut findings = Vec::new();
    let mut tone = Tone::Serving;
    let policy = known.last.as_ref().and_then(|report| report.maxmemory_policy.clone());
    if let Some(policy) = policy.as_ref().filter(|it| *it != SAFE_POLICY) {
        findings.push(format!(
            "maxmemory-policy is {policy}: when its memory is full it throws jobs away; set it to {SAFE_POLICY}"
        ));
        tone = Tone::Down;
    }
    let unread = known.last.as_ref().map_or(0, |report| report.unread);
    if unread > 0 {
        findings.push(format!("{unread} queues beyond the first 1,000 are not read"));
        tone = tone.max(Tone::Degraded);
    }
    if !queues_fresh(known, now) {
        findings.insert(0, queue_words::unread(known, now));
        tone = Tone::Unknown;
    }
    let age_s = known.last.as_ref().map(|_| now.since(known.seen_at).as_secs_f64());
    QueueStoreView { name, tone, findings, age_s, maxmemory_policy: policy }
}

fn judge(
    stack: &Stack,
    store: &str,
    known: &QueueStoreState,
    name: &str,
    sample: &QueueSample,
    now: Timestamp,
) -> QueueView {
    let followers = followers(stack, store, name);
    let targets = followers.iter().map(|(_, scale)| scale.target_wait.as_secs_f64());
    let target_wait_s = targets.reduce(f64::min);
    let rates = known.rates.get(name).copied();
    let clears_in_s = rates.and_then(|rates| clears_in_s(sample, &rates));
    let told = Told { sample, rates, target_wait_s, clears_in_s };
    let fresh = queues_fresh(known, now);
    QueueView {
        store: store.to_owned(),
        name: name.to_owned(),
        tone: if fresh { tone(&told) } else { Tone::Unknown },
        summary: if fresh { queue_words::summary(&told) } else { queue_words::old(sample, known, now) },
        sample: sample.clone(),
        rates: rates.unwrap_or_default(),
        // At rates of the past nothing can be said of the future.
        clears_in_s: clears_in_s.filter(|_| fresh),
        services: followers.into_iter().map(|(service, _)| service.clone()).collect(),
        target_wait_s,
        age_s: now.since(known.seen_at).as_secs_f64(),
    }
}

/// The worst that can be said of a queue whose data is fresh.
fn tone(told: &Told<'_>) -> Tone {
    let (sample, depth) = (told.sample, told.sample.claimable());
    let over = match (sample.oldest_age_s, told.target_wait_s) {
        (Some(age), Some(target)) if target > 0.0 => age / target,
        _ => 0.0,
    };
    if depth >= FAR_TOO_DEEP || over > HOPELESS || told.deserted() {
        Tone::Down
    } else if depth >= DEEP
        || over > 1.0
        || told.stalls()
        || !sample.vanished_schedulers.is_empty()
        || (sample.paused && depth > 0)
    {
        Tone::Degraded
    } else {
        Tone::Serving
    }
}

impl Told<'_> {
    /// Jobs wait that nobody will take.
    pub(crate) fn deserted(&self) -> bool {
        self.sample.claimable() > 0 && self.sample.workers == 0 && !self.sample.paused
    }

    /// Jobs are found without a living worker.
    pub(crate) fn stalls(&self) -> bool {
        self.rates.is_some_and(|rates| rates.stalled_per_min >= STALLS_PER_MIN)
    }
}

fn clears_in_s(sample: &QueueSample, rates: &QueueRates) -> Option<f64> {
    let (backlog, net) = (sample.claimable() as f64, rates.finished_per_s - rates.arrivals_per_s);
    let clears = backlog > 0.0 && net > 0.0 && !sample.paused;
    clears.then(|| backlog / net).filter(|it| *it <= LONGEST_CLEARING_S)
}

/// Services that scale by a queue, named as `queue` or as `valkey.NAME/queue`.
fn followers<'a>(stack: &'a Stack, store: &str, queue: &str) -> Vec<(&'a ServiceName, &'a ScaleSpec)> {
    let meant = |wanted: &String| match wanted.strip_prefix(store).and_then(|it| it.strip_prefix('/')) {
        Some(own) => own == queue,
        None => wanted == queue,
    };
    let scales = stack.services.iter().filter_map(|(name, spec)| Some((name, spec.scale.as_ref()?)));
    scales.filter(|(_, scale)| scale.queues.iter().any(meant)).collect()
}

#[cfg(test)]
#[path = "queue_judge_tests.rs"]
mod tests;
