use super::Due;

/// Where the buckets end, in ms from the look on: fine while it is near, coarse when it is far.
pub(super) const BOUNDS_MS: [i64; 24] = [
    1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 25_000, 30_000, 40_000, 50_000, 60_000, 75_000, 90_000,
    105_000, 120_000, 150_000, 180_000, 210_000, 240_000, 300_000, 360_000, 420_000, 480_000, 600_000,
];

/// Buckets out of counts by bound, or out of single jobs by when they fall due where the server told of each.
pub(super) fn buckets(counts: &[u64], in_ms: &[i64]) -> Vec<Due> {
    let jobs = |place: usize| {
        let from = if place == 0 { i64::MIN } else { BOUNDS_MS[place - 1] };
        let within = |at: &&i64| **at > from && **at <= BOUNDS_MS[place];
        counts.get(place).copied().unwrap_or(0) + in_ms.iter().filter(within).count() as u64
    };
    let buckets = BOUNDS_MS.iter().enumerate();
    let buckets = buckets.map(|(place, bound)| Due { in_s: *bound as f64 / 1e3, jobs: jobs(place) });
    buckets.filter(|bucket| bucket.jobs > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_job_is_in_the_first_bucket_that_it_falls_into() {
        let due = |in_s, jobs| Due { in_s, jobs };
        let single = buckets(&[], &[1, 1_000, 1_001, 599_999, 600_000, 600_001]);
        assert_eq!(single, [due(1.0, 2), due(2.0, 1), due(600.0, 2)]);
        assert_eq!(buckets(&[0, 7, 0, 3], &[]), [due(2.0, 7), due(10.0, 3)]);
        assert_eq!(buckets(&[], &[]), []);
    }
}
