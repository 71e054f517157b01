//! How often each figure was seen, of late: in integers, so that a copy through JSON is the same to the last bit.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::Timestamp;
use serde::{Deserialize, Serialize};

/// Counts of figures over one to two times the memory: two generations, of which the older is dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    since: Timestamp,
    young: BTreeMap<u32, u32>,
    old: BTreeMap<u32, u32>,
}

impl Counts {
    /// Adds one of `figure`.
    pub(super) fn add(&mut self, figure: u32, at: Timestamp, memory: Duration) {
        let age = at.since(self.since);
        if age >= memory {
            self.old = std::mem::take(&mut self.young);
            if age >= memory.saturating_mul(2) {
                self.old.clear();
            }
            self.since = at;
        }
        let count = self.young.entry(figure).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn of(&self, figure: u32) -> u64 {
        let one = |counts: &BTreeMap<u32, u32>| counts.get(&figure).copied().map_or(0, u64::from);
        one(&self.young) + one(&self.old)
    }

    pub(super) fn total(&self) -> u64 {
        self.young.values().chain(self.old.values()).copied().map(u64::from).sum()
    }

    /// The figure below which 99 of 100 lie. With fewer than 100 of them the second greatest: one outlier alone is
    /// not what is usual.
    pub(super) fn q99(&self) -> u32 {
        let rank = self.total().saturating_sub(1) * 99 / 100;
        let mut figures: BTreeMap<u32, u64> = BTreeMap::new();
        for (figure, count) in self.young.iter().chain(&self.old) {
            *figures.entry(*figure).or_default() += u64::from(*count);
        }
        let mut below = 0;
        for (figure, count) in figures {
            below += count;
            if below > rank {
                return figure;
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn the_99th_of_100_and_the_second_greatest_of_few() {
        let mut counts = Counts::default();
        assert_eq!(counts.q99(), 0);
        for figure in [3, 3, 3, 90] {
            counts.add(figure, Timestamp(0), DAY);
        }
        assert_eq!(counts.q99(), 3);
        for figure in 1..=200 {
            counts.add(figure, Timestamp(0), DAY);
        }
        assert_eq!((counts.q99(), counts.total()), (197, 204));
    }

    #[test]
    fn what_is_older_than_twice_the_memory_is_forgotten() {
        let mut counts = Counts::default();
        counts.add(7, Timestamp(0) + DAY, DAY);
        counts.add(8, Timestamp(0) + DAY * 2, DAY);
        assert_eq!((counts.of(7), counts.of(8)), (1, 1));
        counts.add(8, Timestamp(0) + DAY * 3, DAY);
        assert_eq!((counts.of(7), counts.of(8)), (0, 2));
        counts.add(9, Timestamp(0) + DAY * 9, DAY);
        assert_eq!(counts.total(), 1);
    }
}
