use std::cmp::Ordering;

use ops_samples::{Labels, is_stale};

use super::super::engine::{Engine, Grid};
use super::super::number::ascending;
use super::super::table::{NOTHING, Table};
use super::Groups;
use crate::EvalError;
use crate::plan::{Aggregate, Aggregation};

/// Aggregations that keep some of the series of each group as they are.
pub(super) fn pick(
    engine: &Engine<'_>,
    it: &Aggregate,
    mut table: Table,
    param: &[f64],
    grid: Grid,
) -> Result<Table, EvalError> {
    if !check(engine, it.aggregation, param)? {
        return Ok(engine.table(grid.steps));
    }
    let groups = Groups::new(engine, it, &table)?;
    let steps = table.steps;
    let mut picked = vec![false; table.values.len()];
    let mut order = Vec::new();
    let mut members: Vec<Vec<(f64, usize)>> = vec![Vec::new(); groups.len()];
    for step in 0..steps {
        engine.check_time()?;
        members.iter_mut().for_each(Vec::clear);
        let cells = table.values.iter().skip(step).step_by(steps);
        for (at, (value, group)) in
            cells.zip(&groups.of).enumerate().filter(|(_, (value, _))| !is_stale(**value))
        {
            if let Some(members) = members.get_mut(*group as usize) {
                members.push((*value, at));
            }
        }
        let param = param.get(step).copied().unwrap_or(f64::NAN);
        for members in &mut members {
            keep(it.aggregation, param, members, &table);
            for (_, at) in members.iter() {
                if let Some(picked) = picked.get_mut(at * steps + step) {
                    *picked = true;
                }
                order.push(*at);
            }
        }
    }
    for (value, picked) in table.values.iter_mut().zip(picked) {
        if !picked {
            *value = NOTHING;
        }
    }
    if steps == 1 {
        table.reorder(&order);
    } else {
        table.compact();
    }
    Ok(table)
}

/// Looks at what says how many; whether any series can be kept.
fn check(engine: &Engine<'_>, aggregation: Aggregation, param: &[f64]) -> Result<bool, EvalError> {
    let most = param.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = param.iter().copied().fold(f64::INFINITY, f64::min);
    let nan = param.iter().any(|value| value.is_nan());
    let wrong = |reason: String| Err(EvalError::Execution(reason));
    if aggregation == Aggregation::LimitRatio {
        if nan {
            return wrong("Ratio value is NaN".to_owned());
        }
        let mut notes = engine.notes.borrow_mut();
        if most > 1.0 {
            notes.ratio(most, 1.0);
        }
        if least < -1.0 {
            notes.ratio(least, -1.0);
        }
        return Ok(most != 0.0 || least != 0.0);
    }
    if nan {
        return wrong("Parameter value is NaN".to_owned());
    }
    if most < 1.0 {
        return Ok(false);
    }
    let bound = i64::MAX as f64;
    if least <= -bound {
        return wrong(format!("Scalar value {} underflows int64", super::super::number::shortest(least)));
    }
    if most >= bound {
        return wrong(format!("Scalar value {} overflows int64", super::super::number::shortest(most)));
    }
    Ok(true)
}

/// Keeps those of a group that are to be kept, in the order in which they are shown.
fn keep(aggregation: Aggregation, param: f64, members: &mut Vec<(f64, usize)>, table: &Table) {
    match aggregation {
        Aggregation::Topk => best(members, count(param), |a, b| ascending(b, a)),
        Aggregation::Bottomk => best(members, count(param), ascending),
        Aggregation::Limitk => members.truncate(count(param)),
        _ => members.retain(|(_, at)| table.rows.get(*at).is_some_and(|row| in_ratio(&row.labels, param))),
    }
}

fn count(param: f64) -> usize {
    // A number below zero counts as none, one too large as all.
    param as usize
}

/// Keeps the first `count` in an order of values; NaN is last in any.
fn best(members: &mut Vec<(f64, usize)>, count: usize, order: impl Fn(&f64, &f64) -> Ordering) {
    let order = |(a, a_at): &(f64, usize), (b, b_at): &(f64, usize)| {
        a.is_nan().cmp(&b.is_nan()).then_with(|| order(a, b)).then(a_at.cmp(b_at))
    };
    if count == 0 {
        members.clear();
    } else if members.len() > count {
        members.select_nth_unstable_by(count - 1, order);
        members.truncate(count);
    }
    members.sort_unstable_by(order);
}

/// Whether a series is in the share: by its labels, so that it is the same at each step, and so that the shares `r`
/// and `r - 1` make up the whole.
fn in_ratio(labels: &Labels, ratio: f64) -> bool {
    // The last step of MurmurHash3 spreads the bits of the fingerprint.
    let mut bits = labels.fingerprint();
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    let place = (bits ^ (bits >> 33)) as f64 / u64::MAX as f64;
    let ratio = ratio.clamp(-1.0, 1.0);
    if ratio >= 0.0 { place < ratio } else { place >= 1.0 + ratio }
}
