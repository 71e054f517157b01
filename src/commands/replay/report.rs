//! The comparison for people: a table for each trace, and one over all.

use super::comparison::{CLAIRVOYANT, Comparison, Row};
use super::summary::{self, in_time, summaries};
use crate::failure::Result;
use crate::output::{self, Colour, cell};

/// Tells all.
pub(super) fn say(comparisons: &[Comparison]) -> Result {
    for (index, comparison) in comparisons.iter().enumerate() {
        if index > 0 {
            output::say("");
        }
        one(comparison);
    }
    if comparisons.len() > 1 {
        output::say("");
        all(comparisons);
    }
    Ok(())
}

fn one(comparison: &Comparison) {
    output::say(&format!("{}: {}", comparison.trace, terms(comparison)));
    let mut table = output::table(&["policy", "late", "p99 wait", "cost", "replica hours", "actions/h"]);
    for row in &comparison.rows {
        let late = percent(row.outcome.late_share);
        let colour = if in_time(comparison, row) { Colour::Green } else { Colour::Red };
        table.add_row(vec![
            cell(&row.name, Colour::Grey),
            cell(&late, colour),
            comfy_table::Cell::new(wait(row)),
            comfy_table::Cell::new(format!("{:.2}x", row.outcome.cost_ratio)),
            comfy_table::Cell::new(format!("{:.1}", row.outcome.replica_seconds / 3600.0)),
            comfy_table::Cell::new(format!("{:.0}", row.outcome.actions_per_hour)),
        ]);
    }
    output::say_table(&table);
    if let Some(cheapest) = summary::cheapest(comparison) {
        output::say(&format!(
            "cheapest in time: {}, {:.2} times the least that could have been paid",
            cheapest.name, cheapest.outcome.cost_ratio
        ));
    }
}

fn all(comparisons: &[Comparison]) {
    output::say(&format!("all {} traces", comparisons.len()));
    let mut table = output::table(&["policy", "in time", "cost", "actions/h"]);
    for summary in summaries(comparisons) {
        let colour = if summary.in_time == summary.of { Colour::Green } else { Colour::Red };
        table.add_row(vec![
            cell(&summary.name, Colour::Grey),
            cell(&format!("{} of {}", summary.in_time, summary.of), colour),
            comfy_table::Cell::new(format!("{:.2}x", summary.cost)),
            comfy_table::Cell::new(format!("{:.0}", summary.actions_per_hour)),
        ]);
    }
    output::say_table(&table);
}

/// What holds for every policy on the trace.
pub(super) fn terms(comparison: &Comparison) -> String {
    let setting = &comparison.setting;
    let jobs = comparison.rows.first().map_or(0, |row| row.outcome.jobs);
    let limit = setting.limit_per_s.map_or_else(String::new, |limit| format!(", limit {limit:.0} jobs/s"));
    format!(
        "{jobs} jobs of {} in {}; late after {}, {} at once, {} to {} replicas that start in {}{limit}",
        time(setting.mean_run_s),
        time(comparison.length_s),
        time(setting.target_wait_s),
        setting.concurrency,
        setting.bounds.0,
        setting.bounds.1,
        time(setting.mean_start_s),
    )
}

/// 99 of 100 jobs wait no longer; of the bound nothing is known but that none is late.
pub(super) fn wait(row: &Row) -> String {
    let p99 = time(row.outcome.p99_wait_s);
    if row.name == CLAIRVOYANT { format!("≤ {p99}") } else { p99 }
}

/// `0.3 %`.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.05 { "< 0.1 %".to_owned() } else { format!("{percent:.1} %") }
}

/// `12 s`, `3.4 min`.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        _ if seconds < 0.0995 => format!("{:.0} ms", seconds * 1000.0),
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        _ if seconds < 119.5 => format!("{seconds:.0} s"),
        _ if seconds < 7200.0 => format!("{:.1} min", seconds / 60.0),
        _ if seconds < 172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.1} days", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_shares_are_short() {
        let times = [0.05, 0.5, 30.0, 600.0, 86_400.0, 1_209_600.0].map(time);
        assert_eq!(times, ["50 ms", "0.5 s", "30 s", "10.0 min", "24.0 h", "14.0 days"]);
        assert_eq!([0.0, 0.0001, 0.0123, 1.0].map(percent), ["0.0 %", "< 0.1 %", "1.2 %", "100.0 %"]);
    }
}
