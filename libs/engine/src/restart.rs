//! What follows an exit: start again, wait, give up, or leave it.

use std::time::Duration;

use ops_contract::{ActionCause, ExitReason, ReplicaId, RestartMode, RestartPolicy, ServiceSpec, Timestamp};

use crate::{PastExit, words};

/// What follows the exits of a slot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AfterExit<'a> {
    Start { cause: ActionCause, reason: String, failures: u16 },
    Wait { until: Timestamp, failures: u16, last: &'a PastExit },
    GiveUp { failures: u16, reason: String },
    Stay { reason: String },
}

/// Judges a slot without a process by its exits since its last reset, oldest first.
pub(crate) fn after_exit<'a>(
    spec: &ServiceSpec,
    id: &ReplicaId,
    exits: &'a [PastExit],
    now: Timestamp,
) -> AfterExit<'a> {
    let policy = &spec.restart;
    let Some(last) = exits.last() else {
        return AfterExit::Start {
            cause: ActionCause::StackStart,
            reason: format!("{id} is wanted and does not run"),
            failures: 0,
        };
    };
    // The window ends at the last failure and not now: a slot that gave up must not start again by the passing of time.
    let failures = failures_until(exits, policy, last.at);
    if last.reason == ExitReason::Asked {
        let failures = failures_until(exits, policy, now);
        return AfterExit::Start {
            cause: ActionCause::StackStart,
            reason: format!("{id} was stopped as asked and is wanted again"),
            failures,
        };
    }
    let failed = last.reason.is_failure();
    match policy.mode {
        RestartMode::Never => {
            return AfterExit::Stay {
                reason: format!("{id} {}; its policy is never to restart it", last.meaning),
            };
        }
        RestartMode::OnFailure if !failed => {
            let reason = format!(
                "{id} ended by itself with code 0, which is no failure; it stays down until it is restarted by hand"
            );
            return AfterExit::Stay { reason };
        }
        RestartMode::OnFailure | RestartMode::Always => {}
    }
    if let Some(code) = last.code.filter(|code| policy.never_on.contains(code)) {
        return AfterExit::GiveUp {
            failures,
            reason: format!("gave up: {id} ended with code {code}, which a restart cannot mend"),
        };
    }
    if failures >= policy.max {
        let reason = format!(
            "gave up after {failures} failures in {}: last {}",
            words::age(policy.window),
            last.meaning
        );
        return AfterExit::GiveUp { failures, reason };
    }
    let until = last.at + delay(policy, id, last.generation, failures.max(1));
    if now < until {
        return AfterExit::Wait { until, failures, last };
    }
    let reason = format!(
        "{id} {} (failure {failures} of {} in {})",
        last.meaning,
        policy.max,
        words::age(policy.window)
    );
    AfterExit::Start { cause: ActionCause::Failure, reason, failures }
}

fn failures_until(exits: &[PastExit], policy: &RestartPolicy, end: Timestamp) -> u16 {
    let start = end - policy.window;
    let failures =
        exits.iter().filter(|exit| exit.reason.is_failure() && exit.at > start && exit.at <= end).count();
    u16::try_from(failures).unwrap_or(u16::MAX)
}

/// `backoff` × 2^(failures − 1), at most `backoff_max`, ±20 %. The jitter is drawn from the replica and its
/// generation, so that the same facts give the same moment.
fn delay(policy: &RestartPolicy, id: &ReplicaId, generation: i64, failures: u16) -> Duration {
    let doubled =
        policy.backoff.saturating_mul(1_u32.checked_shl(u32::from(failures - 1)).unwrap_or(u32::MAX));
    doubled.min(policy.backoff_max).mul_f64(0.8 + 0.4 * draw(id, generation))
}

/// A number in [0, 1), the same for the same replica and generation (FNV-1a).
fn draw(id: &ReplicaId, generation: i64) -> f64 {
    let bytes = id.service.as_str().bytes().chain(id.slot.to_le_bytes()).chain(generation.to_le_bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}
