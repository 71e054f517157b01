use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ops_contract::Timestamp;

/// Wrong tries within the window, after which an address must wait.
const TRIES: u32 = 20;
const WINDOW: Duration = Duration::from_secs(60);
/// Most addresses remembered.
const MOST: usize = 10_000;

/// Where somebody tries to get in. Counted apart: an agent with an old token must not lock its machine's operators out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Door {
    Agent,
    Api,
    Login,
    Scaler,
}

/// Counts wrong tries by address.
#[derive(Default)]
pub(crate) struct Brake(Mutex<HashMap<(IpAddr, Door), (Timestamp, u32)>>);

impl Brake {
    /// How long the address must wait before its next try.
    pub(crate) fn wait(&self, address: IpAddr, door: Door, now: Timestamp) -> Option<Duration> {
        let tries = self.lock();
        let (first, count) = tries.get(&(address, door))?;
        let passed = now.since(*first);
        (*count >= TRIES && passed < WINDOW).then(|| WINDOW - passed)
    }

    /// Counts a wrong try.
    pub(crate) fn count(&self, address: IpAddr, door: Door, now: Timestamp) {
        let mut tries = self.lock();
        if tries.len() >= MOST {
            tries.retain(|_, (first, _)| now.since(*first) < WINDOW);
            if tries.len() >= MOST {
                tries.clear();
            }
        }
        let entry = tries.entry((address, door)).or_insert((now, 0));
        if now.since(entry.0) >= WINDOW {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(IpAddr, Door), (Timestamp, u32)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_after_too_many_wrong_tries_at_one_door() {
        let (brake, address) = (Brake::default(), IpAddr::from([127, 0, 0, 1]));
        let now = Timestamp(1_000_000_000);
        for _ in 0..TRIES {
            assert_eq!(brake.wait(address, Door::Login, now), None);
            brake.count(address, Door::Login, now);
        }
        assert_eq!(brake.wait(address, Door::Login, now), Some(WINDOW));
        assert_eq!(brake.wait(address, Door::Api, now), None);
        assert_eq!(brake.wait(address, Door::Login, now + WINDOW), None);
    }
}
