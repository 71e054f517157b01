//! Jobs whose time is known beforehand: delayed ones and those of schedulers. No other autoscaler reads it.

use super::look::QueueLook;
use super::need::Scheduled;
use super::queue::{REACTION_S, Terms};

/// Scheduled jobs wait at most this share of the target: being early costs little, being late all of them.
const OF_TARGET: f64 = 0.8;

/// Entries near now are at most this wide, in seconds; one that comes after a long nothing is taken as narrow.
const WIDTH_S: f64 = 2.0;

/// Jobs that were announced and fell due within `elapsed_s` of the look that announced them.
pub(super) fn fallen_due(due: &[(f64, f64)], elapsed_s: f64) -> f64 {
    let mut jobs = 0.0;
    let mut before_s = 0.0;
    for (to_s, count) in due {
        let from_s = f64::max(before_s, to_s - WIDTH_S);
        if *to_s <= elapsed_s {
            jobs += count;
        } else if from_s < elapsed_s {
            jobs += count * (elapsed_s - from_s) / (to_s - from_s);
        }
        before_s = *to_s;
    }
    jobs
}

/// Replicas that jobs falling due soon need beside the usual load; nothing as long as there is time to ask for them
/// later.
pub(super) fn need(
    look: &QueueLook,
    base_per_s: f64,
    concurrency: f64,
    run_s: f64,
    terms: Terms<'_>,
) -> Scheduled {
    let wait_s = OF_TARGET * terms.target_s;
    let lead_s = terms.longest_start_s.max(terms.start_delay_s) * 1.05 + REACTION_S;
    let have = terms.fleet.coming();
    let mut most = Scheduled::default();
    for (first, (begins_s, _)) in look.due.iter().enumerate() {
        if *begins_s > lead_s + 2.0 {
            break;
        }
        let mut jobs = 0.0;
        for (ends_s, count) in look.due.iter().skip(first) {
            jobs += count;
            // All that falls due from the first to this one is to be started within the time between, and one wait more.
            let span_s = ends_s - begins_s + wait_s;
            let each = concurrency * (1.0 + span_s / run_s);
            let work = jobs + base_per_s * (span_s + run_s);
            let total = work / each;
            // Of replicas asked for now, a part of the span is gone before they are there.
            let gone_s = (lead_s - REACTION_S - begins_s).max(0.0).min(span_s);
            let replicas = if gone_s > 0.0 && total > have {
                let late = concurrency * (1.0 + (span_s - gone_s) / run_s);
                have + ((work - have * each) / late).max(0.0)
            } else {
                total
            };
            if replicas > most.replicas {
                most = Scheduled { replicas, jobs, in_s: *begins_s };
            }
        }
    }
    most
}
