//! Made-up traces, each of them one question. To add one: a row in `ALL` and its function.

use super::read::Bin;
use super::scenario::{Scenario, Terms, Wishes};
use super::{Job, LogNormal, Random, Trace, spread};

const MINUTE_S: f64 = 60.0;
const HOUR_S: f64 = 3600.0;
/// Granularity of the rates.
const STEP_S: f64 = 10.0;

/// Makes the jobs; gets how long they run.
type Make = fn(LogNormal, &mut Random) -> (Vec<Job>, f64);

/// Terms of a service whose jobs take 2 s, ten at once, and which starts in half a minute.
const USUAL: Terms = Terms { bounds: (1, 100), mean_run_s: 2.0, ..Terms::RECORDED };

/// Name, question, terms, jobs.
const ALL: &[(&str, &str, Terms, Make)] = &[
    ("constant", "the same load for hours", USUAL, constant),
    ("step", "ten times the load for twenty minutes", USUAL, step),
    ("burst", "10,000 jobs of 50 ms at once", Terms { mean_run_s: 0.05, ..USUAL }, burst),
    ("batch", "2,000 jobs that BullMQ holds back until one moment, known ten minutes ahead", USUAL, batch),
    (
        "long",
        "jobs of three minutes, two at once",
        Terms { target_wait_s: 60.0, concurrency: 2, mean_run_s: 180.0, variation: 0.5, ..USUAL },
        long,
    ),
    ("pool", "a small pool of one to three replicas", Terms { bounds: (1, 3), start_s: 15.0, ..USUAL }, pool),
    (
        "limiter",
        "a queue whose own limit, not its workers, is what jobs wait for",
        Terms { limit_per_s: Some(20.0), ..USUAL },
        limiter,
    ),
];

/// The names of all, and what each asks.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.iter().map(|(name, question, ..)| (*name, *question))
}

/// A made-up trace by its name.
pub fn scenario(name: &str, wishes: &Wishes, seed: u64) -> Option<Scenario> {
    let (name, _, terms, make) = ALL.iter().find(|(known, ..)| *known == name)?;
    let terms = wishes.over(*terms);
    let run = LogNormal::new(terms.mean_run_s, terms.variation);
    let (jobs, length_s) = make(run, &mut Random::new(seed));
    Some(Scenario::new(Trace::new(*name, jobs, length_s), terms, Vec::new()))
}

/// Arrivals at a rate that changes with time.
fn arrivals(length_s: f64, run: LogNormal, random: &mut Random, per_s: impl Fn(f64) -> f64) -> Vec<Job> {
    let steps = (length_s / STEP_S) as usize;
    let bin = |step: usize| {
        let start_s = step as f64 * STEP_S;
        Bin { start_s, length_s: STEP_S, count: per_s(start_s) * STEP_S }
    };
    let bins: Vec<Bin> = (0..steps).map(bin).collect();
    spread::poisson(&bins, 1.0, run, random)
}

/// 0 at the begin and the end of each period, 1 in its middle.
fn wave(at_s: f64, period_s: f64) -> f64 {
    let phase = (at_s / period_s).fract();
    4.0 * phase * (1.0 - phase)
}

/// 25 jobs a second: five replicas.
fn constant(run: LogNormal, random: &mut Random) -> (Vec<Job>, f64) {
    let length_s = 4.0 * HOUR_S;
    (arrivals(length_s, run, random, |_| 25.0), length_s)
}

/// From two replicas to twenty and back, within a moment.
fn step(run: LogNormal, random: &mut Random) -> (Vec<Job>, f64) {
    let length_s = 3.0 * HOUR_S;
    let high = HOUR_S..HOUR_S + 20.0 * MINUTE_S;
    (arrivals(length_s, run, random, |at_s| if high.contains(&at_s) { 100.0 } else { 10.0 }), length_s)
}

/// Once an hour, into a service with next to nothing to do: 50 s for a replica alone.
fn burst(run: LogNormal, random: &mut Random) -> (Vec<Job>, f64) {
    let length_s = 3.0 * HOUR_S;
    let mut jobs = arrivals(length_s, run, random, |_| 1.0);
    for hour in 0..3 {
        let at_s = f64::from(hour) * HOUR_S + 10.0 * MINUTE_S;
        jobs.extend((0..10_000).map(|_| Job::at(at_s, run.draw(random))));
    }
    (jobs, length_s)
}

/// Once an hour; each batch is 13 replicas for half a minute, which is also what a start takes.
fn batch(run: LogNormal, random: &mut Random) -> (Vec<Job>, f64) {
    let length_s = 6.0 * HOUR_S;
    let mut jobs = arrivals(length_s, run, random, |_| 2.5);
    for hour in 0..6 {
        let due_s = f64::from(hour) * HOUR_S + 30.0 * MINUTE_S;
        let known_s = due_s - 10.0 * MINUTE_S;
        jobs.extend((0..2_000).map(|_| Job { due_s, known_s, run_s: run.draw(random) }));
    }
    (jobs, length_s)
}

/// A day with two peaks: two to eighteen replicas.
fn long(run: LogNormal, random: &mut Random) -> (Vec<Job>, f64) {
    let length_s = 24.0 * HOUR_S;
    (arrivals(length_s, run, random, |at_s| 0.02 + 0.18 * wave(at_s, 12.0 * HOUR_S)), length_s)
}

/// Half a day of a third to three quarters of the pool, with five minutes of all of it in every hour.
fn pool(run: LogNormal, random: &mut Random) -> (Vec<Job>, f64) {
    let length_s = 12.0 * HOUR_S;
    let per_s = |at_s: f64| {
        let busy = (at_s / HOUR_S).fract() >= 11.0 / 12.0;
        if busy { 14.0 } else { 1.5 + 6.0 * wave(at_s, 4.0 * HOUR_S) }
    };
    (arrivals(length_s, run, random, per_s), length_s)
}

/// 12 jobs a second under a limit of 20, and five minutes of 40 in every hour: four replicas use up the limit.
fn limiter(run: LogNormal, random: &mut Random) -> (Vec<Job>, f64) {
    let length_s = 4.0 * HOUR_S;
    let busy = |at_s: f64| (0.5..0.5 + 1.0 / 12.0).contains(&(at_s / HOUR_S).fract());
    (arrivals(length_s, run, random, |at_s| if busy(at_s) { 40.0 } else { 12.0 }), length_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(name: &str) -> Scenario {
        scenario(name, &Wishes::default(), 42).unwrap()
    }

    #[test]
    fn every_trace_is_in_order_within_its_length_and_the_same_again() {
        for (name, question) in names() {
            let scenario = made(name);
            let trace = &scenario.trace;
            assert!(!question.is_empty() && trace.jobs.len() > 5_000, "{name}: {}", trace.jobs.len());
            assert!(trace.jobs.is_sorted_by(|one, other| one.due_s <= other.due_s), "{name}");
            assert!(trace.jobs.iter().all(|job| job.run_s > 0.0 && job.known_s <= job.due_s), "{name}");
            assert!(trace.jobs.last().unwrap().due_s <= trace.length_s, "{name}");
            assert_eq!(trace, &made(name).trace);
        }
        assert!(scenario("weather", &Wishes::default(), 42).is_none());
    }

    #[test]
    fn a_batch_is_known_ten_minutes_before_it_is_due() {
        let scenario = made("batch");
        let delayed: Vec<&Job> = scenario.trace.jobs.iter().filter(|job| job.known_s < job.due_s).collect();
        assert_eq!(delayed.len(), 12_000);
        assert!(delayed.iter().all(|job| (job.due_s - job.known_s - 600.0).abs() < 1e-9));
    }

    #[test]
    fn the_limit_is_under_the_peak_and_above_the_mean() {
        let scenario = made("limiter");
        let mean = scenario.trace.jobs.len() as f64 / scenario.trace.length_s;
        assert!(mean < scenario.setting.limit_per_s.unwrap(), "{mean}");
    }

    #[test]
    fn wishes_go_over_the_terms() {
        let wishes = Wishes { target_wait_s: Some(5.0), most: Some(9), ..Wishes::default() };
        let setting = scenario("pool", &wishes, 1).unwrap().setting;
        assert_eq!((setting.target_wait_s, setting.bounds), (5.0, (1, 9)));
    }
}
