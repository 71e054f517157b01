//! R4: many more reads in five minutes than usual at that hour of the week.
//!
//! Usual is a moving mean and variance of the reads in five minutes, one pair for each of the week's 168 hours; minutes
//! without a read count as well. All in integers: thousandths of a read, millionths of its square.

use std::collections::{BTreeMap, VecDeque};

use ops_contract::{FindingSeverity, Timestamp};
use serde::{Deserialize, Serialize};

use super::access::{Access, Verb};
use super::found::Found;
use super::hours::hour_of_week;
use super::limits::EVIDENCE;
use super::world::World;

const MINUTE: i64 = 60_000_000;
/// Minutes of a span.
const SPAN: i64 = 5;
/// Spans that are caught up with after a pause: a week.
const MOST_EMPTY: i64 = 7 * 24 * 12;
/// Spans over which the mean moves: two weeks of one hour.
const MOVES_OVER: u32 = 24;
/// More reads than these are taken for as many, to keep the sums small.
const MOST: u32 = 100_000;

/// Reads of the last minutes, and what is usual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Volume {
    /// Minutes with reads, of the last five.
    minutes: VecDeque<(i64, u32)>,
    latest: VecDeque<u64>,
    /// The five minutes that are under way, by the clock, and their reads.
    span: Option<i64>,
    reads: u32,
    usual: BTreeMap<u8, Usual>,
}

/// What is usual in one hour of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Usual {
    spans: u32,
    mean: i64,
    variance: i64,
}

impl Volume {
    pub(super) fn judge(&mut self, access: &Access<'_>, world: &World<'_>) -> Option<Found> {
        if access.verb != Verb::Read || !access.reached_a_secret() {
            return None;
        }
        let spec = world.spec;
        self.settle(access.at.0.div_euclid(MINUTE * SPAN), spec.volume_deviations);
        let minute = access.at.0.div_euclid(MINUTE);
        self.minutes.retain(|(it, _)| minute.abs_diff(*it) < SPAN.unsigned_abs());
        match self.minutes.iter_mut().find(|(it, _)| *it == minute) {
            Some((_, reads)) => *reads = reads.saturating_add(1),
            None => self.minutes.push_back((minute, 1)),
        }
        self.latest.push_back(access.seq);
        if self.latest.len() > EVIDENCE {
            self.latest.pop_front();
        }
        self.reads = self.reads.saturating_add(1);
        let reads = self.minutes.iter().fold(0_u32, |sum, (_, reads)| sum.saturating_add(*reads));
        let usual = self.usual.get(&hour_of_week(access.at)).copied().unwrap_or_default();
        let (deviations, mean) = (usual.deviations(reads), usual.mean as f64 / 1e3);
        (reads >= spec.volume && deviations > spec.volume_deviations).then(|| {
            let summary = format!(
                "{} read {reads} times in 5 minutes; usual at this hour are {mean:.1}, this is {deviations:.0} \
                 standard deviations more",
                access.principal
            );
            let found = Found::by_habit("R4", FindingSeverity::Warning, summary);
            found.about_none().shown_by(self.latest.iter().copied().collect())
        })
    }

    /// Learns from the spans that are over.
    fn settle(&mut self, span: i64, deviations: f64) {
        let Some(before) = self.span.replace(span) else { return };
        if span == before {
            return;
        }
        let reads = std::mem::take(&mut self.reads);
        if span < before {
            // The clock was set back: what was counted belongs nowhere.
            return;
        }
        self.usual.entry(hour_of_span(before)).or_default().learn(reads, deviations);
        let empty = before.saturating_add(1).max(span.saturating_sub(MOST_EMPTY))..span;
        for span in empty {
            self.usual.entry(hour_of_span(span)).or_default().learn(0, deviations);
        }
    }
}

impl Usual {
    /// By how many standard deviations so many reads are more than usual. The variance is at least the mean, as of
    /// things that happen independently, and at least 1, so that quiet principals are not noisy.
    fn deviations(&self, reads: u32) -> f64 {
        let (mean, variance) = (self.mean as f64 / 1e3, self.variance as f64 / 1e6);
        (f64::from(reads) - mean) / variance.max(mean).max(1.0).sqrt()
    }

    /// Takes in a span that is over; what is beyond the limit only as if it were on it, so that one great theft does
    /// not hide the next.
    fn learn(&mut self, reads: u32, deviations: f64) {
        let (mean, variance) = (self.mean as f64 / 1e3, self.variance as f64 / 1e6);
        let limit = mean + deviations.clamp(1.0, 100.0) * variance.max(mean).max(1.0).sqrt();
        let reads = reads.min(MOST).min(limit.ceil() as u32);
        self.spans = self.spans.saturating_add(1);
        let weight = i64::from(self.spans.min(MOVES_OVER));
        let step = i64::from(reads) * 1_000 - self.mean;
        let moved = step / weight;
        self.mean += moved;
        self.variance = ((self.variance + step * moved) / weight * (weight - 1)).max(0);
    }
}

/// The hour of the week of five minutes that are counted from 1970.
fn hour_of_span(span: i64) -> u8 {
    hour_of_week(Timestamp(span.saturating_mul(MINUTE * SPAN)))
}
