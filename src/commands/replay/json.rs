//! The comparison as JSON; the shape is a contract, fields may be added.

use serde_json::{Value, json};

use super::comparison::{Comparison, Row};
use crate::failure::Result;
use crate::output;

/// One trace is an object, several are a list.
pub(super) fn say(comparisons: &[Comparison]) -> Result {
    output::json(&value(comparisons))
}

fn value(comparisons: &[Comparison]) -> Value {
    match comparisons {
        [one] => trace(one),
        several => several.iter().map(trace).collect(),
    }
}

fn trace(comparison: &Comparison) -> Value {
    let setting = &comparison.setting;
    json!({
        "trace": comparison.trace,
        "length_s": comparison.length_s,
        "seeds": comparison.seeds,
        "target_wait_s": setting.target_wait_s,
        "concurrency": setting.concurrency,
        "min": setting.bounds.0,
        "max": setting.bounds.1,
        "start_delay_s": setting.mean_start_s,
        "mean_run_s": setting.mean_run_s,
        "limit_per_s": setting.limit_per_s,
        "policies": comparison.rows.iter().map(policy).collect::<Vec<_>>(),
    })
}

fn policy(row: &Row) -> Value {
    let it = &row.outcome;
    json!({
        "name": row.name,
        "jobs": it.jobs,
        "late": it.late,
        "late_share": it.late_share,
        "p50_wait_s": it.p50_wait_s,
        "p95_wait_s": it.p95_wait_s,
        "p99_wait_s": it.p99_wait_s,
        "max_wait_s": it.max_wait_s,
        "replica_seconds": it.replica_seconds,
        "lower_bound_replica_seconds": it.lower_bound_replica_seconds,
        "cost_ratio": it.cost_ratio,
        "actions": it.actions,
        "actions_per_hour": it.actions_per_hour,
        "flips": it.flips,
        "killed": it.killed,
        "unfinished": it.unfinished,
    })
}

#[cfg(test)]
mod tests {
    use ops_engine::simulate::Wishes;

    use super::super::comparison::{chosen, run};
    use super::super::sources::Source;
    use super::*;

    fn text(seeds: &[u64]) -> String {
        let pool = Source::Synthetic("pool".to_owned());
        value(&[run(&pool, &Wishes::default(), seeds, &chosen(&[]).unwrap(), false)]).to_string()
    }

    #[test]
    fn the_same_seed_is_the_same_to_the_byte() {
        assert_eq!(text(&[7]), text(&[7]));
        assert_ne!(text(&[7]), text(&[8]));
    }

    #[test]
    fn the_shape_is_the_contract() {
        let value: Value = serde_json::from_str(&text(&[7])).unwrap();
        assert_eq!(value["trace"], "pool");
        let policies = value["policies"].as_array().unwrap();
        assert_eq!(policies.len(), chosen(&[]).unwrap().len());
        for policy in policies {
            for field in ["late_share", "p99_wait_s", "replica_seconds", "cost_ratio", "actions_per_hour"] {
                assert!(policy[field].is_f64(), "{field} of {policy}");
            }
            assert!(policy["name"].is_string());
        }
    }
}
