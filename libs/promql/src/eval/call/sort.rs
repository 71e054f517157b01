use std::cmp::Ordering;

use ops_samples::Labels;

use super::super::engine::{Engine, Grid};
use super::super::number::ascending;
use super::super::table::{NOTHING, Table};
use super::{arg, text};
use crate::EvalError;
use crate::plan::{Call, Function};

/// Puts the series in order; those of a range query are ordered by their labels in any case.
pub(super) fn sort(engine: &Engine<'_>, it: &Call, grid: Grid) -> Result<Table, EvalError> {
    let mut table = engine.vector(arg(it, 0)?, grid)?;
    if grid.steps > 1 {
        engine.notes.borrow_mut().sort_in_range();
        return Ok(table);
    }
    let mut order: Vec<usize> = (0..table.rows.len()).collect();
    match it.function {
        Function::Sort => order.sort_by(|a, b| nan_last(value(&table, *a), value(&table, *b), false)),
        Function::SortDesc => order.sort_by(|a, b| nan_last(value(&table, *a), value(&table, *b), true)),
        _ => {
            let names = (1..it.args.len()).map(|at| text(it, at)).collect::<Result<Vec<_>, _>>()?;
            let of = |at: usize| table.rows.get(at).map(|row| &row.labels);
            order.sort_by(|a, b| by_labels(of(*a), of(*b), &names));
            if it.function == Function::SortByLabelDesc {
                order.reverse();
            }
        }
    }
    table.reorder(&order);
    Ok(table)
}

fn value(table: &Table, at: usize) -> f64 {
    table.values.get(at).copied().unwrap_or(NOTHING)
}

/// NaN comes last whatever the direction.
fn nan_last(a: f64, b: f64, descending: bool) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) if descending => ascending(&b, &a),
        (false, false) => ascending(&a, &b),
        (a, b) => a.cmp(&b),
    }
}

fn by_labels(a: Option<&Labels>, b: Option<&Labels>, names: &[&str]) -> Ordering {
    let value = |labels: Option<&'_ Labels>, name: &str| {
        labels.and_then(|labels| labels.get(name).map(str::to_owned)).unwrap_or_default()
    };
    let by_names = names.iter().map(|name| natural(&value(a, name), &value(b, name)));
    by_names.fold(Ordering::Equal, Ordering::then).then_with(|| a.cmp(&b))
}

/// Texts in the order that people expect: `a9` before `a10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !a.is_empty() && !b.is_empty() {
        let (x, y) = (chunk(&mut a), chunk(&mut b));
        let numbers = [x, y].iter().all(|it| it.starts_with(|c: char| c.is_ascii_digit()));
        let order = if numbers {
            let (x, y) = (x.trim_start_matches('0'), y.trim_start_matches('0'));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            x.cmp(y)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// Takes the digits, or what is not digits, at the start of a text.
fn chunk<'a>(rest: &mut &'a str) -> &'a str {
    let digits = rest.starts_with(|c: char| c.is_ascii_digit());
    let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
    let (chunk, after) = rest.split_at(end);
    *rest = after;
    chunk
}
