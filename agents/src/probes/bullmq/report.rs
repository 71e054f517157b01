use std::collections::BTreeMap;
use std::time::Duration;

use ops_bullmq::watch;
use ops_contract::{Due, QueueReport, QueueSample, RateLimit, Spread};

use crate::clock;

/// What was seen in words of the contract.
pub(super) fn of(store: &str, epoch: &str, seen: Result<watch::Look, String>, took: Duration) -> QueueReport {
    let (look, fault) = match seen {
        Ok(look) => (look, None),
        Err(fault) => (watch::Look::default(), Some(fault)),
    };
    QueueReport {
        store: store.to_owned(),
        epoch: epoch.to_owned(),
        queues: look.queues.into_iter().map(|(name, of)| (name, sample(of))).collect::<BTreeMap<_, _>>(),
        unread: look.unread,
        fault,
        maxmemory_policy: look.maxmemory_policy,
        took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        at: clock::now(),
    }
}

fn sample(of: watch::Sample) -> QueueSample {
    let due = |due: &watch::Due| Due { in_s: due.in_s, jobs: due.jobs };
    QueueSample {
        waiting: of.waiting,
        prioritized: of.prioritized,
        active: of.active,
        delayed: of.delayed,
        delayed_due: of.delayed_due,
        waiting_children: of.waiting_children,
        completed: of.completed,
        failed: of.failed,
        paused: of.paused,
        oldest_age_s: of.oldest_age_s,
        arrivals_total: of.totals.arrivals,
        started_total: of.totals.started,
        completed_total: of.totals.completed,
        failed_total: of.totals.failed,
        retries_total: of.totals.retries,
        stalled_total: of.totals.stalled,
        exact: of.exact,
        run_time: of.run_time.map(spread),
        wait_time: of.wait_time.map(spread),
        workers: of.workers,
        limit: of.limit.map(|limit| RateLimit { max: limit.max, per_s: limit.per_s }),
        global_concurrency: of.global_concurrency,
        due: of.due.iter().map(due).collect(),
        schedulers: of.schedulers,
        vanished_schedulers: of.vanished_schedulers,
    }
}

fn spread(of: watch::Spread) -> Spread {
    let watch::Spread { count, mean_s, p50_s, p95_s, max_s, cv2 } = of;
    Spread { count, mean_s, p50_s, p95_s, max_s, cv2 }
}
