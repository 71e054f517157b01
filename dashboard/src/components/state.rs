//! A state: glyph and word always, colour third.

use leptos::prelude::*;
use ops_contract::{DependencyStatus, ReplicaPhase, ServiceStatus, Tone};

/// How a state looks and is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) class: &'static str,
    pub(crate) glyph: &'static str,
    pub(crate) word: &'static str,
}

const fn look(class: &'static str, glyph: &'static str, word: &'static str) -> Look {
    Look { class, glyph, word }
}

pub(crate) fn of_tone(tone: Tone) -> Look {
    match tone {
        Tone::Serving => look("serving", "●", "serving"),
        Tone::Starting => look("starting", "◔", "starting"),
        Tone::Stopped => look("stopped", "‖", "stopped"),
        Tone::Unknown => look("unknown", "◇", "unknown"),
        Tone::Degraded => look("degraded", "▲", "degraded"),
        Tone::Down => look("down", "✕", "down"),
    }
}

pub(crate) fn of_service(status: ServiceStatus) -> Look {
    match status {
        ServiceStatus::Serving => look("serving", "●", "serving"),
        ServiceStatus::Starting => look("starting", "◔", "starting"),
        ServiceStatus::Stopped => look("stopped", "‖", "stopped"),
        ServiceStatus::Unknown => look("unknown", "◇", "unknown"),
        ServiceStatus::Degraded => look("degraded", "▲", "degraded"),
        ServiceStatus::Down => look("down", "✕", "down"),
    }
}

pub(crate) fn of_replica(phase: ReplicaPhase) -> Look {
    match phase {
        ReplicaPhase::Ready => look("serving", "●", "ready"),
        ReplicaPhase::Starting => look("starting", "◔", "starting"),
        ReplicaPhase::BackingOff => look("degraded", "◔", "backing off"),
        ReplicaPhase::NotReady => look("degraded", "▲", "not ready"),
        ReplicaPhase::Draining => look("draining", "↓", "draining"),
        ReplicaPhase::Stopped => look("stopped", "‖", "stopped"),
        ReplicaPhase::Exited => look("down", "✕", "exited"),
        ReplicaPhase::GaveUp => look("down", "✕", "gave up"),
        ReplicaPhase::Unknown => look("unknown", "◇", "unknown"),
    }
}

pub(crate) fn of_store(status: DependencyStatus) -> Look {
    match status {
        DependencyStatus::Up => look("serving", "●", "up"),
        DependencyStatus::Down => look("down", "✕", "down"),
        DependencyStatus::Unknown => look("unknown", "◇", "unknown"),
    }
}

/// Glyph and word.
pub(crate) fn mark(look: Look) -> impl IntoView {
    view! {
        <span class=format!("state {}", look.class)>
            <span class="glyph" aria-hidden="true">{look.glyph}</span>
            {look.word}
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_told_is_never_green() {
        let unknown =
            [of_tone(Tone::Unknown), of_service(ServiceStatus::Unknown), of_replica(ReplicaPhase::Unknown)];
        for look in unknown.into_iter().chain([of_store(DependencyStatus::Unknown)]) {
            assert_eq!((look.class, look.glyph), ("unknown", "◇"));
        }
    }

    #[test]
    fn states_of_one_kind_differ_in_word_and_not_by_colour_alone() {
        use ReplicaPhase::*;
        let looks =
            [Starting, Ready, NotReady, Draining, Stopped, Exited, BackingOff, GaveUp, ReplicaPhase::Unknown]
                .map(of_replica);
        let mut words: Vec<&str> = looks.iter().map(|it| it.word).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), looks.len());
    }
}
