use ops_samples::is_stale;

use super::super::engine::Engine;
use super::super::table::{NOTHING, Table};
use super::sign;
use crate::EvalError;
use crate::plan::{Link, Operator};

/// `and`, `or`, `unless`.
pub(super) fn set(
    engine: &Engine<'_>,
    link: &Link,
    mut left: Table,
    right: Table,
) -> Result<Table, EvalError> {
    let (left_signs, right_signs, count) = sign(&link.matching, &left, &right);
    match link.operator {
        Operator::And | Operator::Unless => {
            let present = present(&right, &right_signs, count);
            let wanted = link.operator == Operator::And;
            retain(&mut left, &left_signs, &present, wanted);
            Ok(left)
        }
        _ => {
            let mut right = right;
            let present = present(&left, &left_signs, count);
            retain(&mut right, &right_signs, &present, false);
            engine.check_time()?;
            for (row, cells) in right.rows.iter().zip(right.cells()) {
                left.push(row.clone(), cells)?;
            }
            // At a single step, what has the same labels may still come to differ; it is looked at in the end.
            if left.steps > 1 {
                left.merge()?;
            }
            Ok(left)
        }
    }
}

/// Which signatures have a value at each step.
fn present(table: &Table, signs: &[u32], count: usize) -> Vec<bool> {
    let steps = table.steps;
    let mut present = vec![false; count * steps];
    for (cells, sign) in table.cells().zip(signs) {
        let start = *sign as usize * steps;
        let Some(present) = present.get_mut(start..start + steps) else { continue };
        present.iter_mut().zip(cells).for_each(|(present, value)| *present |= !is_stale(*value));
    }
    present
}

/// Keeps the values whose signature is there, or is not.
fn retain(table: &mut Table, signs: &[u32], present: &[bool], wanted: bool) {
    let steps = table.steps;
    for (cells, sign) in table.values.chunks_exact_mut(steps).zip(signs) {
        let start = *sign as usize * steps;
        let Some(present) = present.get(start..start + steps) else { continue };
        cells
            .iter_mut()
            .zip(present)
            .filter(|(_, it)| **it != wanted)
            .for_each(|(value, _)| *value = NOTHING);
    }
    table.compact();
}
