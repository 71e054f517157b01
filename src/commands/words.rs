//! States and times as people read them: always glyph and word, the same as on the pages.

use ops_contract::{DependencyStatus, ReplicaPhase, ServiceStatus, Timestamp, Tone};

use comfy_table::Cell;

use crate::output::{Colour, cell, paint, paint_note};

/// Now, as the contract counts it.
pub(crate) fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}

/// `3 min`: how long ago it was.
pub(crate) fn ago(at: Timestamp) -> String {
    if at.0 == 0 {
        return "–".to_owned();
    }
    let seconds = now().since(at).as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// The moment in UTC.
pub(crate) fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0)
        .map_or_else(|_| at.to_string(), |it| it.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// A replica's phase.
pub(crate) fn phase(phase: ReplicaPhase) -> Cell {
    let (glyph, word, colour) = match phase {
        ReplicaPhase::Starting => ("◔", "starting", Colour::Yellow),
        ReplicaPhase::Ready => ("●", "ready", Colour::Green),
        ReplicaPhase::NotReady => ("▲", "degraded", Colour::Yellow),
        ReplicaPhase::Draining => ("↓", "draining", Colour::Yellow),
        ReplicaPhase::Stopped => ("‖", "stopped", Colour::Grey),
        ReplicaPhase::Exited => ("✕", "exited", Colour::Red),
        ReplicaPhase::BackingOff => ("◔", "backing off", Colour::Yellow),
        ReplicaPhase::GaveUp => ("✕", "gave up", Colour::Red),
        ReplicaPhase::Unknown => ("◇", "unknown", Colour::Grey),
    };
    cell(&format!("{glyph} {word}"), colour)
}

/// A replica's phase in the words that scripts rely on.
pub(crate) fn phase_key(phase: ReplicaPhase) -> &'static str {
    match phase {
        ReplicaPhase::Starting => "starting",
        ReplicaPhase::Ready => "ready",
        ReplicaPhase::NotReady => "degraded",
        ReplicaPhase::Draining => "draining",
        ReplicaPhase::Stopped | ReplicaPhase::Exited | ReplicaPhase::BackingOff => "down",
        ReplicaPhase::GaveUp => "gave_up",
        ReplicaPhase::Unknown => "unknown",
    }
}

/// A service's status.
pub(crate) fn status(status: ServiceStatus) -> Cell {
    let (text, colour) = status_words(status);
    cell(text, colour)
}

/// A service's status, for standard error.
pub(crate) fn status_note(status: ServiceStatus) -> String {
    let (text, colour) = status_words(status);
    paint_note(&format!("{text:<11}"), colour)
}

fn status_words(status: ServiceStatus) -> (&'static str, Colour) {
    match status {
        ServiceStatus::Unknown => ("◇ unknown", Colour::Grey),
        ServiceStatus::Serving => ("● serving", Colour::Green),
        ServiceStatus::Starting => ("◔ starting", Colour::Yellow),
        ServiceStatus::Degraded => ("▲ degraded", Colour::Yellow),
        ServiceStatus::Down => ("✕ down", Colour::Red),
        ServiceStatus::Stopped => ("‖ stopped", Colour::Grey),
    }
}

/// A data store's status.
pub(crate) fn dependency(status: DependencyStatus) -> Cell {
    let (text, colour) = match status {
        DependencyStatus::Unknown => ("◇ unknown", Colour::Grey),
        DependencyStatus::Up => ("● up", Colour::Green),
        DependencyStatus::Down => ("✕ down", Colour::Red),
    };
    cell(text, colour)
}

/// The verdict's glyph.
pub(crate) fn tone(tone: Tone) -> String {
    let (glyph, colour) = match tone {
        Tone::Serving => ("●", Colour::Green),
        Tone::Starting => ("◔", Colour::Yellow),
        Tone::Stopped => ("‖", Colour::Grey),
        Tone::Unknown => ("◇", Colour::Grey),
        Tone::Degraded => ("▲", Colour::Yellow),
        Tone::Down => ("✕", Colour::Red),
    };
    paint(glyph, colour)
}

/// `12.3 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
