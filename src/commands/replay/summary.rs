//! Who is in time, and at what price, over several traces.

use super::comparison::{CLAIRVOYANT, Comparison, MOST, Row};

/// A policy is in time when at most this share of the jobs is late beyond those that are late with all replicas.
pub(super) const TOLERATED: f64 = 0.01;

/// One policy over all traces.
#[derive(Debug)]
pub(super) struct Summary {
    /// The policy.
    pub(super) name: String,
    /// Traces on which it was in time.
    pub(super) in_time: usize,
    /// Traces that it ran on.
    pub(super) of: usize,
    /// Geometric mean of the cost ratios.
    pub(super) cost: f64,
    /// Mean of the actions per hour.
    pub(super) actions_per_hour: f64,
}

/// Whether a policy was in time on a trace.
pub(super) fn in_time(comparison: &Comparison, row: &Row) -> bool {
    let most = comparison.rows.iter().find(|it| it.name == MOST);
    let unavoidable = most.map_or(0.0, |it| it.outcome.late_share);
    row.outcome.late_share <= unavoidable + TOLERATED
}

/// The cheapest policy that was in time; one that does not scale, and the bound, are no candidates.
pub(super) fn cheapest(comparison: &Comparison) -> Option<&Row> {
    let candidates = comparison.rows.iter().filter(|row| scales(row) && in_time(comparison, row));
    candidates.min_by(|one, other| one.outcome.cost_ratio.total_cmp(&other.outcome.cost_ratio))
}

/// Whether it is a policy that scales.
pub(super) fn scales(row: &Row) -> bool {
    row.name != CLAIRVOYANT && !row.name.starts_with("static-") && !row.name.starts_with("fixed-")
}

/// All policies, in the order of the first trace.
pub(super) fn summaries(comparisons: &[Comparison]) -> Vec<Summary> {
    let names = comparisons.first().map(|it| it.rows.iter().map(|row| row.name.as_str()));
    names.into_iter().flatten().map(|name| summary(comparisons, name)).collect()
}

fn summary(comparisons: &[Comparison], name: &str) -> Summary {
    let (mut in_time_on, mut of, mut logarithms, mut actions) = (0, 0, 0.0, 0.0);
    for comparison in comparisons {
        for row in comparison.rows.iter().filter(|row| row.name == name) {
            of += 1;
            in_time_on += usize::from(in_time(comparison, row));
            logarithms += row.outcome.cost_ratio.max(f64::MIN_POSITIVE).ln();
            actions += row.outcome.actions_per_hour;
        }
    }
    let count = (of as f64).max(1.0);
    Summary {
        name: name.to_owned(),
        in_time: in_time_on,
        of,
        cost: (logarithms / count).exp(),
        actions_per_hour: actions / count,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use ops_engine::simulate::{Outcome, Setting};

    use super::*;

    pub(in super::super) fn comparison(rows: &[(&str, f64, f64)]) -> Comparison {
        let row = |(name, late_share, cost_ratio): &(&str, f64, f64)| Row {
            name: (*name).to_owned(),
            outcome: Outcome {
                late_share: *late_share,
                cost_ratio: *cost_ratio,
                actions_per_hour: 10.0,
                ..Outcome::default()
            },
        };
        Comparison {
            trace: "a".to_owned(),
            length_s: 3600.0,
            setting: Setting {
                target_wait_s: 30.0,
                concurrency: 10,
                bounds: (1, 400),
                mean_run_s: 10.0,
                mean_start_s: 30.0,
                limit_per_s: None,
            },
            seeds: vec![1, 2, 3],
            rows: rows.iter().map(row).collect(),
        }
    }

    #[test]
    fn in_time_is_measured_from_what_nobody_could_avoid() {
        let one = comparison(&[("keda", 0.105, 2.0), ("hpa", 0.12, 1.0), ("static-max", 0.1, 9.0)]);
        assert!(in_time(&one, &one.rows[0]));
        assert!(!in_time(&one, &one.rows[1]));
        assert_eq!(cheapest(&one).unwrap().name, "keda");
    }

    #[test]
    fn costs_are_multiplied_over_the_traces() {
        let traces = [comparison(&[("keda", 0.0, 1.0)]), comparison(&[("keda", 0.5, 4.0)])];
        let summaries = summaries(&traces);
        assert!((summaries[0].cost - 2.0).abs() < 1e-12);
        assert_eq!((summaries[0].in_time, summaries[0].of), (1, 2));
    }
}
