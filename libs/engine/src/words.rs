//! Times and names as people read them.

use std::time::Duration;

use ops_contract::{DependencyKind, ReplicaPhase, Timestamp};

/// `6 min`: one unit, the one that matters.
pub(crate) fn age(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `02:09:12 UTC`.
pub(crate) fn clock(at: Timestamp) -> String {
    let seconds = at.0.div_euclid(1_000_000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02} UTC", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// `PostgreSQL main`, `PostgreSQL main replica 0`, `Valkey queue`.
pub(crate) fn store(name: &str, kind: DependencyKind) -> String {
    let own = name.split_once('.').map_or(name, |(_, own)| own).replace(['.', '-'], " ");
    let product = match kind {
        DependencyKind::Postgres => "PostgreSQL",
        DependencyKind::Valkey => "Valkey",
    };
    format!("{product} {own}")
}

/// A phase in words that follow "is" or "has".
pub(crate) fn phase(phase: ReplicaPhase) -> &'static str {
    match phase {
        ReplicaPhase::Starting => "starting",
        ReplicaPhase::Ready => "ready",
        ReplicaPhase::NotReady => "not ready",
        ReplicaPhase::Draining => "draining",
        ReplicaPhase::Stopped => "stopped",
        ReplicaPhase::Exited => "exited",
        ReplicaPhase::BackingOff => "backing off",
        ReplicaPhase::GaveUp => "gave up",
        ReplicaPhase::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_take_the_unit_that_matters() {
        let cases = [(0, "0 s"), (119, "119 s"), (360, "6 min"), (10_800, "3 h"), (200_000, "2 d")];
        for (seconds, expected) in cases {
            assert_eq!(age(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn clocks_are_utc() {
        assert_eq!(clock(Timestamp(1_792_000_000_000_000)), "17:46:40 UTC");
    }

    #[test]
    fn stores_carry_their_product() {
        assert_eq!(store("postgres.main.replica-0", DependencyKind::Postgres), "PostgreSQL main replica 0");
        assert_eq!(store("valkey.queue", DependencyKind::Valkey), "Valkey queue");
    }
}
