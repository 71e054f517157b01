//! Makes jobs out of counts: a count per step says how many came, not when in the step.

use super::read::Bin;
use super::{Job, LogNormal, Random};

/// A Poisson process whose rate is that of the step, times `scale`.
pub(super) fn poisson(bins: &[Bin], scale: f64, run: LogNormal, random: &mut Random) -> Vec<Job> {
    let mut jobs = Vec::new();
    for bin in bins {
        let rate = bin.count * scale / bin.length_s;
        if rate <= 0.0 {
            continue;
        }
        let mut at_s = bin.start_s + random.gap() / rate;
        while at_s < bin.start_s + bin.length_s {
            jobs.push(Job::at(at_s, run.draw(random)));
            at_s += random.gap() / rate;
        }
    }
    jobs
}

/// Just as many as were counted, anywhere in their step.
pub(super) fn counted(bins: &[Bin], run: LogNormal, random: &mut Random) -> Vec<Job> {
    let mut jobs = Vec::new();
    for bin in bins {
        let part = u64::from(random.unit() < bin.count.fract());
        for _ in 0..bin.count as u64 + part {
            jobs.push(Job::at(bin.start_s + random.unit() * bin.length_s, run.draw(random)));
        }
    }
    jobs
}

/// The steps around the busiest one that together have at most so many arrivals.
pub(super) fn around_the_peak(bins: &[Bin], most: f64) -> &[Bin] {
    let total: f64 = bins.iter().map(|bin| bin.count).sum();
    let Some((peak, _)) =
        bins.iter().enumerate().max_by(|(_, one), (_, other)| one.count.total_cmp(&other.count))
    else {
        return bins;
    };
    if total <= most {
        return bins;
    }
    let (mut from, mut to, mut sum) = (peak, peak + 1, bins[peak].count);
    loop {
        let (before, after) = (from.checked_sub(1), (to < bins.len()).then_some(to));
        // Both sides grow alike, until one of them has ended.
        let next = match (before, after) {
            (Some(before), Some(after)) => {
                if peak - before <= after - peak {
                    before
                } else {
                    after
                }
            }
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => break,
        };
        sum += bins[next].count;
        if sum > most {
            break;
        }
        (from, to) = (from.min(next), to.max(next + 1));
    }
    &bins[from..to]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins(counts: &[f64]) -> Vec<Bin> {
        let bin = |(index, count)| Bin { start_s: index as f64 * 60.0, length_s: 60.0, count };
        counts.iter().copied().enumerate().map(bin).collect()
    }

    #[test]
    fn arrivals_stay_in_their_step_and_are_as_many_as_scaled() {
        let bins = bins(&[1000.0, 0.0, 3000.0]);
        let jobs = poisson(&bins, 2.0, LogNormal::new(0.5, 1.0), &mut Random::new(1));
        assert!((7600..8400).contains(&jobs.len()), "{}", jobs.len());
        assert!(jobs.iter().all(|job| !(60.0..120.0).contains(&job.due_s) && job.due_s < 180.0));
        assert!(jobs.is_sorted_by(|one, other| one.due_s <= other.due_s));
    }

    #[test]
    fn unscaled_counts_are_kept_to_the_job() {
        let jobs = counted(&bins(&[7.0, 0.0, 12.0]), LogNormal::new(0.5, 1.0), &mut Random::new(1));
        assert_eq!(jobs.len(), 19);
        assert_eq!(jobs.iter().filter(|job| job.due_s < 60.0).count(), 7);
    }

    #[test]
    fn a_cut_keeps_the_peak_in_its_middle() {
        let bins = bins(&[1.0, 1.0, 1.0, 9.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(around_the_peak(&bins, 11.0), &bins[2..5]);
        assert_eq!(around_the_peak(&bins, 100.0), &bins[..]);
        assert_eq!(around_the_peak(&bins, 1.0), &bins[3..4]);
    }
}
