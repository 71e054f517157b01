//! One request to a language model a line, as in Azure's public traces: `TIMESTAMP,ContextTokens,GeneratedTokens`.

use super::super::Job;
use super::table::{Complaints, Table};

/// Time to read one token of the question, in seconds.
const CONTEXT_S: f64 = 0.25e-3;
/// Time to write one token of the answer, in seconds.
const GENERATED_S: f64 = 30e-3;
/// How much longer the model for code takes.
const CODE: f64 = 5.0;

/// A request keeps a worker busy for its reading and its writing.
pub(super) fn read(
    table: &Table<'_>,
    [time, context, generated]: [usize; 3],
    code: bool,
    complaints: &mut Complaints,
) -> Vec<Job> {
    let mut rows: Vec<(i64, f64)> = Vec::new();
    for row in table.rows() {
        let Some(at) = complaints.time(table, &row, time) else { continue };
        let Some(read) = complaints.number(table, &row, context) else { continue };
        let Some(written) = complaints.number(table, &row, generated) else { continue };
        let run_s = CONTEXT_S * read + GENERATED_S * written;
        let run_s = if code { CODE * run_s } else { run_s };
        let Some(run_s) = complaints.run(table, &row, generated, run_s) else { continue };
        rows.push((at, run_s));
    }
    if !rows.is_sorted_by_key(|(at, _)| *at) {
        complaints.unsorted();
        rows.sort_by_key(|(at, _)| *at);
    }
    let begin = rows.first().map_or(0, |(at, _)| *at);
    rows.into_iter().map(|(at, run_s)| Job::at(at.saturating_sub(begin) as f64 / 1e9, run_s)).collect()
}
