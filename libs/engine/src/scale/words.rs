//! Decisions in sentences.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::ScalingState;

use super::decide::{Combined, ScaleOutcome};
use super::hold::Held;
use super::input::{QueueInput, ScaleInput};
use super::need::{Binding, QueueNeed};
use crate::words::age;

/// Nothing can be told: the last number is held.
pub(super) fn unknown(input: &ScaleInput, stale: Vec<String>) -> ScaleOutcome {
    let manual = input.manual.as_ref().map(|it| it.replicas.clamp(input.bounds.min, input.bounds.max));
    let desired = manual.unwrap_or(input.desired);
    let reason = match &input.manual {
        Some(manual) => format!("{} set {} by hand", manual.by, replicas(u32::from(desired))),
        None => {
            format!("{} held: {}", replicas(u32::from(desired)), stale.first().cloned().unwrap_or_default())
        }
    };
    let state = if manual.is_some() { ScalingState::Manual } else { ScalingState::Unknown };
    ScaleOutcome { desired, state, reason, held: stale, inputs: BTreeMap::new() }
}

/// Why a queue cannot be told about.
pub(super) fn stale(name: &str, queue: &QueueInput) -> String {
    let old = age(Duration::from_secs_f64(queue.age_s.clamp(0.0, 1e9)));
    match &queue.fault {
        Some(fault) => format!("{name} cannot be read ({fault}); what is known is {old} old"),
        None => format!("{name} was last seen {old} ago"),
    }
}

/// Why nothing is taken away.
pub(super) fn frozen(stale: &[String], frozen: Option<&str>, paused: &[&str]) -> String {
    if let Some(why) = frozen {
        return format!("{why}, so no replica is taken away");
    }
    match (stale.first(), paused.first()) {
        (Some(_), _) => "something is not known, so no replica is taken away".to_owned(),
        (None, Some(queue)) => format!("{queue} is paused, so no replica is taken away"),
        (None, None) => String::new(),
    }
}

/// What held the number.
pub(super) fn held(held: Held, desired: u32) -> Option<String> {
    match held {
        Held::Not => None,
        Held::Need { replicas: needed, for_s } => Some(format!(
            "{} held for {for_s:.0} s more: so many were needed lately",
            replicas(needed.min(desired))
        )),
        Held::Step { for_s } => Some(format!("the next step down is in {for_s:.0} s")),
        Held::Starting => Some("replicas still start, so none is taken away".to_owned()),
        Held::Small => Some("the difference is too small to act on at once".to_owned()),
    }
}

/// The decision in one sentence.
pub(super) fn reason(input: &ScaleInput, combined: &Combined<'_>, number: u32) -> String {
    if let Some(manual) = &input.manual {
        let because = if manual.reason.is_empty() { String::new() } else { format!(": {}", manual.reason) };
        return format!("{} set {} by hand{because}", manual.by, replicas(u32::from(manual.replicas)));
    }
    let wanted = replicas(number);
    let cpu = combined.cpu.zip(input.spec.cpu);
    let connections = combined.connections.zip(input.spec.connections);
    if let Some((queue, need)) = &combined.queue {
        return of_queue(input, queue, need, &wanted);
    }
    match (cpu, connections) {
        (Some((cpu, target)), connections) if connections.is_none_or(|(it, _)| it.up <= cpu.up) => {
            format!(
                "the replicas use {:.2} cores; at {:.0} % of a core each that is {wanted}",
                cpu.total,
                target * 100.0
            )
        }
        (_, Some((need, most))) => {
            format!("{:.0} connections, at most {most} on each replica: {wanted}", need.total)
        }
        _ => format!("nothing new was seen: {wanted}"),
    }
}

fn of_queue(input: &ScaleInput, queue: &str, need: &QueueNeed, wanted: &str) -> String {
    let it = &need.figures;
    let target_s = input.spec.target_wait.as_secs_f64();
    let queue = queue.rsplit('/').next().unwrap_or(queue);
    if need.scheduled.replicas > need.floor.max(need.stay) && need.scheduled.jobs > 0.0 {
        let Scheduled { jobs, in_s } = Scheduled { jobs: need.scheduled.jobs, in_s: need.scheduled.in_s };
        return format!(
            "{queue}: {jobs:.0} jobs fall due in {in_s:.0} s and should start within {target_s:.0} s: {wanted}"
        );
    }
    if let (true, Binding::Deadline { in_s, jobs, started }) = (need.more > 0.0, need.binding) {
        return format!(
            "{queue}: {:.0} jobs wait and {:.1}/s come; {jobs:.0} should have started in {in_s:.0} s, but {} can start only {:.0}: {wanted}",
            it.waiting,
            it.arrivals_per_s,
            replicas(u32::from(input.fleet.ready) + input.fleet.starting_s.len() as u32),
            started.max(0.0),
        );
    }
    let busy = it.arrivals_per_s * it.run_s;
    let waits = match it.waiting {
        waiting if waiting > 0.0 => format!("{waiting:.0} jobs wait, the oldest for {:.1} s", it.oldest_s),
        _ => "no job waits".to_owned(),
    };
    let reserve =
        if it.reserve >= 1.0 { format!(" and {:.0} more in a burst", it.reserve) } else { String::new() };
    format!(
        "{queue}: {waits}; {:.1} jobs/s of {} each keep {busy:.1} slots busy{reserve}, a replica has {:.0}: {wanted}",
        it.arrivals_per_s,
        span(it.run_s),
        it.concurrency,
    )
}

struct Scheduled {
    jobs: f64,
    in_s: f64,
}

/// The figures behind it, by name; those of the queue that asks for most.
pub(super) fn figures(input: &ScaleInput, combined: &Combined<'_>, start_s: f64) -> BTreeMap<String, f64> {
    let mut all = BTreeMap::new();
    let mut put = |name: &str, value: f64| {
        if value.is_finite() {
            all.insert(name.to_owned(), (value * 1e3).round() / 1e3);
        }
    };
    put("ready", f64::from(input.fleet.ready));
    put("starting", input.fleet.starting_s.len() as f64);
    put("start_delay_s", start_s);
    put("needed_urgent", f64::from(combined.asked.urgent));
    put("needed_floor", f64::from(combined.asked.floor));
    put("needed_stay", f64::from(combined.asked.stay));
    if let Some((_, need)) = &combined.queue {
        let it = &need.figures;
        put("waiting", it.waiting);
        put("active", it.active);
        put("oldest_age_s", it.oldest_s);
        put("arrivals_per_s", it.arrivals_per_s);
        put("run_time_s", it.run_s);
        put("concurrency", it.concurrency);
        put("reserve_jobs", it.reserve);
        put("target_wait_s", input.spec.target_wait.as_secs_f64());
    }
    if let Some(cap) = combined.cap {
        put("limited_to", f64::from(cap));
    }
    if let Some(cpu) = combined.cpu {
        put("cpu_cores", cpu.total);
        put("untold", cpu.untold as f64);
    }
    if let Some(connections) = combined.connections {
        put("connections", connections.total);
    }
    all
}

fn replicas(count: u32) -> String {
    if count == 1 { "1 replica".to_owned() } else { format!("{count} replicas") }
}

fn span(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1e3) } else { format!("{seconds:.1} s") }
}
