//! What a queue's figures mean, in one sentence.

use std::time::Duration;

use ops_contract::{QueueRates, QueueSample, QueueStoreState, Timestamp};

use crate::words;

/// What a sentence about a queue rests on.
pub(crate) struct Told<'a> {
    pub(crate) sample: &'a QueueSample,
    /// Absent until there were two looks.
    pub(crate) rates: Option<QueueRates>,
    pub(crate) target_wait_s: Option<f64>,
    pub(crate) clears_in_s: Option<f64>,
}

/// `1,204 jobs wait, the oldest for 42 s (target 5 s); cleared in about 3 min at the present rates`.
pub(crate) fn summary(told: &Told<'_>) -> String {
    let sample = told.sample;
    let mut parts = vec![waiting(told)];
    if sample.claimable() > 0 {
        parts.push(clearing(told));
    }
    if told.stalls() {
        let per_min = told.rates.unwrap_or_default().stalled_per_min;
        parts.push(format!("{per_min:.1} jobs a minute lose their worker"));
    }
    if !sample.vanished_schedulers.is_empty() {
        parts.push(format!("job schedulers are gone: {}", first(&sample.vanished_schedulers)));
    }
    parts.join("; ")
}

/// Of a queue whose data is old.
pub(crate) fn old(sample: &QueueSample, store: &QueueStoreState, now: Timestamp) -> String {
    format!("{}; {} waited then", unread(store, now), jobs(sample.claimable()))
}

/// Why nothing is known, and for how long.
pub(crate) fn unread(store: &QueueStoreState, now: Timestamp) -> String {
    let why = match &store.fault {
        Some((fault, _)) => format!(": {fault}"),
        None => String::new(),
    };
    match &store.last {
        Some(_) => format!("nothing was seen for {}{why}", words::age(now.since(store.seen_at))),
        None => format!("nothing was seen yet{why}"),
    }
}

fn waiting(told: &Told<'_>) -> String {
    let sample = told.sample;
    let mut text = match sample.claimable() {
        0 if sample.active > 0 => format!("no job waits, {} under way", are(sample.active)),
        0 => "no job waits".to_owned(),
        1 => "1 job waits".to_owned(),
        depth => format!("{} jobs wait", number(depth)),
    };
    if let Some(age) = sample.oldest_age_s.filter(|_| sample.claimable() > 0) {
        let who = if sample.claimable() == 1 { "" } else { "the oldest " };
        text += &format!(", {who}for {}", seconds(age));
        if let Some(target) = told.target_wait_s {
            text += &format!(" (target {})", seconds(target));
        }
    }
    text
}

fn clearing(told: &Told<'_>) -> String {
    if told.sample.paused {
        return "the queue is paused: nothing is taken until it is resumed".to_owned();
    }
    if told.deserted() {
        return "no worker is connected: nothing is taken until one comes".to_owned();
    }
    let Some(rates) = told.rates else {
        return "when it clears is known after a second look".to_owned();
    };
    let growth = rates.arrivals_per_s - rates.finished_per_s;
    match told.clears_in_s {
        Some(within) => format!("cleared in about {} at the present rates", seconds(within)),
        None if growth >= 0.05 => format!("it grows by {growth:.1} jobs a second"),
        None => "it does not shrink at the present rates".to_owned(),
    }
}

fn are(count: u64) -> String {
    if count == 1 { "1 is".to_owned() } else { format!("{} are", number(count)) }
}

fn jobs(count: u64) -> String {
    if count == 1 { "1 job".to_owned() } else { format!("{} jobs", number(count)) }
}

fn first(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    let more = names.len() - shown.len();
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// `0.4 s`, `42 s`, `3 min`.
fn seconds(seconds: f64) -> String {
    if seconds < 9.95 && (seconds - seconds.round()).abs() >= 0.05 {
        return format!("{seconds:.1} s");
    }
    words::age(Duration::from_secs_f64(seconds.round().clamp(0.0, 1e12)))
}

/// `1,204`.
fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_thousands_apart() {
        for (count, expected) in [(0, "0"), (999, "999"), (1_204, "1,204"), (1_000_000, "1,000,000")] {
            assert_eq!(number(count), expected);
        }
    }

    #[test]
    fn short_times_keep_their_tenths() {
        for (given, expected) in [(0.42, "0.4 s"), (5.0, "5 s"), (41.7, "42 s"), (190.0, "3 min")] {
            assert_eq!(seconds(given), expected);
        }
    }
}
