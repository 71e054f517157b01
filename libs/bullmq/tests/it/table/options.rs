//! A job's options as npm writes them, in our words.

use std::time::Duration;

use ops_bullmq::{Backoff, BackoffKind, Deduplication, JobOptions, Keep, OnFailure};
use serde_json::Value;

pub(crate) fn read(opts: &Value) -> JobOptions {
    let number = |name: &str| opts[name].as_u64().map(|number| number as u32);
    let text = |name: &str| opts[name].as_str().map(str::to_owned);
    let on_failure = [
        ("failParentOnFailure", OnFailure::FailParent),
        ("continueParentOnFailure", OnFailure::ContinueParent),
        ("ignoreDependencyOnFailure", OnFailure::IgnoreDependency),
        ("removeDependencyOnFailure", OnFailure::RemoveDependency),
    ];
    JobOptions {
        job_id: text("jobId"),
        delay: millis(&opts["delay"]),
        priority: number("priority"),
        attempts: number("attempts"),
        backoff: opts.get("backoff").map(backoff),
        lifo: opts["lifo"] == true,
        remove_on_complete: opts.get("removeOnComplete").map(keep),
        remove_on_fail: opts.get("removeOnFail").map(keep),
        stack_trace_limit: number("stackTraceLimit"),
        keep_logs: number("keepLogs"),
        telemetry: opts["telemetry"]["metadata"].as_str().map(str::to_owned),
        deduplication: opts.get("deduplication").map(deduplication),
        on_failure: on_failure.into_iter().find(|(name, _)| opts[*name] == true).map(|(_, way)| way),
        ..JobOptions::default()
    }
}

fn backoff(value: &Value) -> Backoff {
    let kind = match value["type"].as_str().expect("a type") {
        "fixed" => BackoffKind::Fixed,
        "exponential" => BackoffKind::Exponential,
        other => BackoffKind::Custom(other.to_owned()),
    };
    let jitter = value["jitter"].as_f64().unwrap_or(0.0);
    Backoff { kind, delay: millis(&value["delay"]).unwrap_or_default(), jitter }
}

fn keep(value: &Value) -> Keep {
    match value {
        Value::Bool(true) => Keep::Nothing,
        Value::Number(count) => Keep::Last(count.as_u64().expect("a count") as u32),
        _ => Keep::All,
    }
}

fn deduplication(value: &Value) -> Deduplication {
    Deduplication {
        id: value["id"].as_str().expect("an id").to_owned(),
        ttl: millis(&value["ttl"]),
        extend: value["extend"] == true,
        replace: value["replace"] == true,
        keep_last_if_active: value["keepLastIfActive"] == true,
    }
}

fn millis(value: &Value) -> Option<Duration> {
    value.as_u64().map(Duration::from_millis)
}
