//! Arrivals per step of time, as in the Numenta Anomaly Benchmark: `timestamp,value`.

use super::Bin;
use super::table::{Complaints, Table};

/// The step of a trace with a single row, in seconds.
const ONLY_STEP_S: f64 = 60.0;
/// More arrivals in one step than anybody has had.
const MOST: f64 = 1e12;

/// Steps begin at their time. The step is the middle one of all distances: a missing row is a pause, not a long step.
pub(super) fn read(table: &Table<'_>, time: usize, count: usize, complaints: &mut Complaints) -> Vec<Bin> {
    let mut rows: Vec<(i64, f64)> = Vec::new();
    for row in table.rows() {
        let Some(at) = complaints.time(table, &row, time) else { continue };
        let Some(arrivals) = complaints.number(table, &row, count) else { continue };
        if arrivals > MOST {
            let _: Option<()> = complaints.refuse(table, &row, count, format!("more than {MOST:e} arrivals"));
            continue;
        }
        rows.push((at, arrivals));
    }
    if !rows.is_sorted_by_key(|(at, _)| *at) {
        complaints.unsorted();
        rows.sort_by_key(|(at, _)| *at);
    }
    let begin = rows.first().map_or(0, |(at, _)| *at);
    let seconds = |at: i64| at.saturating_sub(begin) as f64 / 1e9;
    let mut bins: Vec<Bin> = Vec::with_capacity(rows.len());
    for (at, arrivals) in rows {
        match bins.last_mut() {
            Some(last) if last.start_s == seconds(at) => last.count += arrivals,
            _ => bins.push(Bin { start_s: seconds(at), length_s: 0.0, count: arrivals }),
        }
    }
    let mut steps: Vec<f64> = bins.windows(2).map(|pair| pair[1].start_s - pair[0].start_s).collect();
    steps.sort_by(f64::total_cmp);
    let step_s = steps.get(steps.len().saturating_sub(1) / 2).copied().unwrap_or(ONLY_STEP_S);
    let starts: Vec<f64> = bins.iter().skip(1).map(|bin| bin.start_s).collect();
    for (index, bin) in bins.iter_mut().enumerate() {
        let distance_s = starts.get(index).map_or(step_s, |next| next - bin.start_s);
        bin.length_s = distance_s.min(step_s);
    }
    bins
}
