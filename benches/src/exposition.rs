//! What a target of the benchmarks exposes: the same text for the same seed, target and tick, whoever asks.
//!
//! Of its series 40 % are counters, 35 % belong to histograms, the rest are gauges. At each tick every gauge, every histogram
//! and about six in ten counters move, as in a fleet that is neither idle nor synthetic noise.

use std::fmt::Write;

/// Upper bounds of the histograms' buckets, in seconds.
const BOUNDS: [&str; 12] =
    ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"];
/// Buckets, sum and count.
const PER_HISTOGRAM: usize = BOUNDS.len() + 2;
const CODES: [&str; 5] = ["200", "201", "404", "429", "500"];
const GAUGES: [&str; 5] = [
    "process_resident_memory_bytes",
    "cpu_usage_ratio",
    "disk_free_bytes",
    "queue_depth",
    "database_connections",
];

/// One target and the state of its series.
#[derive(Clone, Debug)]
pub struct Target {
    seed: u64,
    tick: u64,
    counters: Vec<(String, u64)>,
    histograms: Vec<Histogram>,
    gauges: Vec<Vec<(String, i64)>>,
}

#[derive(Clone, Debug)]
struct Histogram {
    labels: String,
    buckets: [u64; BOUNDS.len()],
    sum_us: u64,
}

impl Target {
    /// The target `number` of a run with `seed`, with as many `series`.
    pub fn new(seed: u64, number: u64, series: usize) -> Self {
        let counters = series * 40 / 100;
        let histograms = series * 35 / 100 / PER_HISTOGRAM;
        let gauges = series - counters - histograms * PER_HISTOGRAM;
        let mut random = Random::new(seed, number, 0);
        let counter = |index: usize| {
            let (route, code) = (index % 20, CODES[index / 20 % CODES.len()]);
            let labels = format!(
                "http_requests_total{{route=\"/api/v1/r{route:02}\",method=\"GET\",code=\"{code}\",replica=\"api-{}\"}}",
                index / 100
            );
            (labels, random.below(1_000_000))
        };
        let histogram = |index: usize| Histogram {
            labels: format!("route=\"/api/v1/r{:02}\",replica=\"api-{}\"", index % 20, index / 20),
            buckets: [0; BOUNDS.len()],
            sum_us: 0,
        };
        let counters = (0..counters).map(counter).collect();
        let gauge = |kind: usize| {
            let count = gauges / GAUGES.len() + usize::from(kind < gauges % GAUGES.len());
            let labelled = |index: usize| {
                let name = GAUGES[kind];
                (format!("{name}{{queue=\"q{:02}\",shard=\"{}\"}}", index % 50, index / 50), first(kind))
            };
            (0..count).map(labelled).collect()
        };
        Self {
            seed: Random::new(seed, number, 1).next(),
            tick: 0,
            counters,
            histograms: (0..histograms).map(histogram).collect(),
            gauges: (0..GAUGES.len()).map(gauge).collect(),
        }
    }

    /// How many samples an exposition holds.
    pub fn samples(&self) -> usize {
        self.counters.len()
            + self.histograms.len() * PER_HISTOGRAM
            + self.gauges.iter().map(Vec::len).sum::<usize>()
    }

    /// Goes one tick on and says what is exposed then.
    pub fn scrape(&mut self) -> String {
        self.tick += 1;
        let mut random = Random::new(self.seed, self.tick, 2);
        let mut text = String::with_capacity(self.samples() * 96);
        text.push_str("# HELP http_requests_total Requests.\n# TYPE http_requests_total counter\n");
        for (name, value) in &mut self.counters {
            let chance = random.next();
            if chance % 10 < 6 {
                *value += 1 + (chance >> 8) % 50;
            }
            line(&mut text, name, *value);
        }
        text.push_str("# TYPE http_request_duration_seconds histogram\n");
        for histogram in &mut self.histograms {
            histogram.observe(&mut random);
            histogram.expose(&mut text);
        }
        for (kind, series) in self.gauges.iter_mut().enumerate() {
            let _ = writeln!(text, "# TYPE {} gauge", GAUGES[kind]);
            for (name, value) in series {
                *value = moved(kind, *value, random.next());
                match kind {
                    1 => line(&mut text, name, *value as f64 / 10_000.0),
                    _ => line(&mut text, name, *value),
                }
            }
        }
        text
    }
}

fn line(text: &mut String, name: &str, value: impl std::fmt::Display) {
    text.push_str(name);
    // Writing to a string cannot fail.
    let _ = writeln!(text, " {value}");
}

/// Where a gauge of this kind begins.
fn first(kind: usize) -> i64 {
    [200 << 20, 2_500, 80 << 30, 20, 40].get(kind).copied().unwrap_or(0)
}

/// Where it is next: pages of memory, parts of a core, a disk that fills, jobs, connections. It never stays.
fn moved(kind: usize, value: i64, chance: u64) -> i64 {
    let step = (chance % 64) as i64 - 32;
    let step = if step == 0 { 1 } else { step };
    let next = match kind {
        0 => value + step * 4_096,
        1 => (value + step * 7).clamp(1, 10_000),
        // Four in five fill up.
        2 => value - (step + 20) * 1_048_576,
        _ => value + step / 8 + step.signum(),
    };
    let next = next.max(0);
    if next == value { next + 1 } else { next }
}

impl Histogram {
    fn observe(&mut self, random: &mut Random) {
        for _ in 0..=random.below(4) {
            // The smaller of two: most answers are fast.
            let bucket = random.below(BOUNDS.len() as u64).min(random.below(BOUNDS.len() as u64)) as usize;
            for count in self.buckets.iter_mut().skip(bucket) {
                *count += 1;
            }
            self.sum_us += 1_000 << bucket;
        }
    }

    fn expose(&self, text: &mut String) {
        const NAME: &str = "http_request_duration_seconds";
        let labels = &self.labels;
        for (bound, count) in BOUNDS.iter().zip(self.buckets) {
            let _ = writeln!(text, "{NAME}_bucket{{{labels},le=\"{bound}\"}} {count}");
        }
        let _ = writeln!(text, "{NAME}_sum{{{labels}}} {}", self.sum_us as f64 / 1e6);
        let _ = writeln!(text, "{NAME}_count{{{labels}}} {}", self.buckets[BOUNDS.len() - 1]);
    }
}

/// SplitMix64: small, fast, and the same everywhere.
struct Random(u64);

impl Random {
    fn new(seed: u64, number: u64, use_of: u64) -> Self {
        let mut random = Self(seed ^ number.wrapping_mul(0xa076_1d64_78bd_642f) ^ (use_of << 56));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_target_and_tick_give_the_same_text() {
        let (mut one, mut other) = (Target::new(7, 3, 1_000), Target::new(7, 3, 1_000));
        for _ in 0..3 {
            assert_eq!(one.scrape(), other.scrape());
        }
        assert_ne!(one.scrape(), Target::new(7, 4, 1_000).scrape());
        assert_ne!(one.scrape(), Target::new(8, 3, 1_000).scrape());
    }

    #[test]
    fn it_has_the_series_it_was_asked_for_and_all_differ() {
        for asked in [10, 997, 10_000] {
            let mut target = Target::new(1, 1, asked);
            let text = target.scrape();
            let names: std::collections::BTreeSet<&str> = text
                .lines()
                .filter(|it| !it.starts_with('#'))
                .map(|it| it.rsplit_once(' ').unwrap().0)
                .collect();
            assert_eq!((names.len(), target.samples()), (asked, asked));
        }
    }

    #[test]
    fn gauges_move_and_counters_never_fall() {
        let mut target = Target::new(1, 1, 1_000);
        let value = |text: &str, name: &str| -> Vec<f64> {
            let lines = text.lines().filter(|it| it.starts_with(name));
            lines.map(|it| it.rsplit_once(' ').unwrap().1.parse().unwrap()).collect()
        };
        let (before, after) = (target.scrape(), target.scrape());
        for gauge in GAUGES {
            assert!(value(&before, gauge).iter().zip(value(&after, gauge)).all(|(one, next)| *one != next));
        }
        let (one, next) = (value(&before, "http_requests"), value(&after, "http_requests"));
        assert!(one.iter().zip(&next).all(|(one, next)| one <= next));
        let moving = one.iter().zip(&next).filter(|(one, next)| one < next).count();
        assert!((200..280).contains(&moving), "{moving} of 400 moved");
    }
}
