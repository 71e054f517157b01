//! Times and sizes as people read them, counted from the view's own moment.

use ops_contract::Timestamp;

/// `6 min ago`, `just now`.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(at).as_secs();
    match seconds {
        0..5 => "just now".to_owned(),
        _ => format!("{} ago", span(seconds)),
    }
}

/// `6 min`.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `02:09:12 UTC`, with the date when it is not today's.
pub(crate) fn clock(at: Timestamp, now: Timestamp) -> String {
    let (Ok(at), Ok(now)) =
        (jiff::Timestamp::from_microsecond(at.0), jiff::Timestamp::from_microsecond(now.0))
    else {
        return "at no time".to_owned();
    };
    let day = |it: jiff::Timestamp| it.strftime("%Y-%m-%d").to_string();
    let format = if day(at) == day(now) { "%H:%M:%S UTC" } else { "%Y-%m-%d %H:%M:%S UTC" };
    at.strftime(format).to_string()
}

/// The machine's form of a time, for `<time datetime>`.
pub(crate) fn iso(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0)
        .map(|it| it.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}

/// `41 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes / 1024),
        1_048_576..1_073_741_824 => format!("{} MiB", bytes / 1_048_576),
        _ => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
    }
}

/// `1 replica`, `2 replicas`.
pub(crate) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}
