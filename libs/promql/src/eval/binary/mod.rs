//! Operators.

mod matched;
mod set;

use ops_samples::is_stale;

use super::engine::{Data, Engine, Grid, Numbers};
use super::number::clean;
use super::signature::{Counted, Signatures};
use super::table::{NOTHING, Table};
use crate::EvalError;
use crate::plan::{Chain, Link, Matching, Operator};

/// Evaluates operators that stand in a row.
pub(crate) fn chain(engine: &Engine<'_>, it: &Chain, grid: Grid) -> Result<Data, EvalError> {
    let mut left = engine.eval(&it.first, grid)?;
    for link in &it.links {
        let right = engine.eval(&link.right, grid)?;
        left = match (left, right) {
            (Data::Scalar(left), Data::Scalar(right)) => Data::Scalar(scalars(link.operator, left, &right)),
            (Data::Vector(left), Data::Scalar(right)) => Data::Vector(with_scalar(link, left, &right, false)),
            (Data::Scalar(left), Data::Vector(right)) => Data::Vector(with_scalar(link, right, &left, true)),
            (Data::Vector(left), Data::Vector(right)) if link.operator.is_set() => {
                Data::Vector(set::set(engine, link, left, right)?)
            }
            (Data::Vector(left), Data::Vector(right)) => {
                Data::Vector(matched::matched(engine, link, left, right)?)
            }
            _ => return Err(EvalError::Execution("an operator needs numbers or vectors".to_owned())),
        };
    }
    Ok(left)
}

fn scalars(operator: Operator, mut left: Numbers, right: &[f64]) -> Numbers {
    for (a, b) in left.values.iter_mut().zip(right) {
        let (value, kept) = compute(operator, *a, *b);
        *a = if operator.compares() { f64::from(u8::from(kept)) } else { value };
    }
    left
}

/// The value of an operation; whether a comparison holds.
fn compute(operator: Operator, a: f64, b: f64) -> (f64, bool) {
    match operator {
        Operator::Add => (a + b, true),
        Operator::Subtract => (a - b, true),
        Operator::Multiply => (a * b, true),
        Operator::Divide => (a / b, true),
        Operator::Modulo => (a % b, true),
        Operator::Power => (a.powf(b), true),
        Operator::Atan2 => (a.atan2(b), true),
        Operator::Equal => (a, a == b),
        Operator::NotEqual => (a, a != b),
        Operator::Greater => (a, a > b),
        Operator::Less => (a, a < b),
        Operator::GreaterOrEqual => (a, a >= b),
        Operator::LessOrEqual => (a, a <= b),
        Operator::And | Operator::Or | Operator::Unless => (a, true),
    }
}

/// An operation of each value with a number; `swapped` if the number is on the left.
fn with_scalar(link: &Link, mut table: Table, numbers: &[f64], swapped: bool) -> Table {
    let (operator, filters) = (link.operator, link.operator.compares() && !link.boolean);
    for cells in table.values.chunks_exact_mut(table.steps) {
        for (cell, number) in cells.iter_mut().zip(numbers).filter(|(cell, _)| !is_stale(**cell)) {
            let (a, b) = if swapped { (*number, *cell) } else { (*cell, *number) };
            let (value, kept) = compute(operator, a, b);
            *cell = match (filters, link.boolean) {
                // A comparison keeps the value of the series, on whichever side it is.
                (true, _) if kept => *cell,
                (true, _) => NOTHING,
                (false, true) => f64::from(u8::from(kept)),
                (false, false) => clean(value),
            };
        }
    }
    if filters {
        table.compact();
    } else {
        table.rows.iter_mut().for_each(|row| row.drop_name = true);
    }
    table
}

/// The numbers of the labels by which the rows of two tables are matched, and how many there are.
fn sign(matching: &Matching, left: &Table, right: &Table) -> (Vec<u32>, Vec<u32>, usize) {
    let counted =
        if matching.on { Counted::Only(&matching.labels) } else { Counted::Except(&matching.labels) };
    let mut signatures = Signatures::default();
    let mut of = |table: &Table| table.rows.iter().map(|row| signatures.of(&row.labels, counted)).collect();
    let (left, right) = (of(left), of(right));
    (left, right, signatures.len())
}
