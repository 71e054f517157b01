//! One job a line, as a queue can be exported: `arrival,run_seconds[,due]`.

use super::super::Job;
use super::table::{Complaints, Table};

/// A job without `due` may be taken up when it arrives.
pub(super) fn read(
    table: &Table<'_>,
    arrival: usize,
    run: usize,
    due: Option<usize>,
    complaints: &mut Complaints,
) -> Vec<Job> {
    let mut rows: Vec<(i64, i64, f64)> = Vec::new();
    for row in table.rows() {
        let Some(known) = complaints.time(table, &row, arrival) else { continue };
        let Some(run_s) = complaints.number(table, &row, run) else { continue };
        let Some(run_s) = complaints.run(table, &row, run, run_s) else { continue };
        let due_at = match due {
            Some(due) if Complaints::given(&row, due) => match complaints.time(table, &row, due) {
                Some(due) => due.max(known),
                None => continue,
            },
            _ => known,
        };
        rows.push((known, due_at, run_s));
    }
    if !rows.is_sorted_by_key(|(known, ..)| *known) {
        complaints.unsorted();
    }
    rows.sort_by_key(|(known, due, _)| (*due, *known));
    let begin = rows.iter().map(|(known, ..)| *known).min().unwrap_or(0);
    let seconds = |at: i64| at.saturating_sub(begin) as f64 / 1e9;
    let job = |(known, due, run_s)| Job { due_s: seconds(due), known_s: seconds(known), run_s };
    rows.into_iter().map(job).collect()
}
