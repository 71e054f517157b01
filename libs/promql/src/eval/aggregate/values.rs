use hashbrown::HashMap;
use ops_samples::{Labels, is_stale};

use super::super::engine::{Engine, Grid};
use super::super::number;
use super::super::table::{NOTHING, Row, Table};
use super::{Groups, group_labels, text};
use crate::EvalError;
use crate::plan::{Aggregate, names_label, quoted};

/// `quantile(q, v)`
pub(super) fn quantile(
    engine: &Engine<'_>,
    it: &Aggregate,
    table: &Table,
    param: &[f64],
) -> Result<Table, EvalError> {
    let wrong = |q: &&f64| q.is_nan() || **q < 0.0 || **q > 1.0;
    param.iter().filter(wrong).for_each(|q| engine.notes.borrow_mut().quantile(*q));
    let groups = Groups::new(engine, it, table)?;
    let steps = table.steps;
    let mut results = vec![NOTHING; groups.len() * steps];
    let mut members: Vec<Vec<f64>> = vec![Vec::new(); groups.len()];
    for step in 0..steps {
        engine.check_time()?;
        members.iter_mut().for_each(Vec::clear);
        let cells = table.values.iter().skip(step).step_by(steps);
        for (value, group) in cells.zip(&groups.of).filter(|(value, _)| !is_stale(**value)) {
            if let Some(members) = members.get_mut(*group as usize) {
                members.push(*value);
            }
        }
        let q = param.get(step).copied().unwrap_or(f64::NAN);
        for (group, members) in members.iter_mut().enumerate().filter(|(_, members)| !members.is_empty()) {
            if let Some(result) = results.get_mut(group * steps + step) {
                *result = number::clean(number::quantile(q, members));
            }
        }
    }
    let mut out = engine.table(steps);
    for (group, cells) in results.chunks_exact(steps).enumerate() {
        out.push(groups.row(group, it, table), cells)?;
    }
    Ok(out)
}

/// `count_values("label", v)`
pub(super) fn count_values(engine: &Engine<'_>, it: &Aggregate, grid: Grid) -> Result<Table, EvalError> {
    let label = text(it.param.as_ref());
    if !names_label(label) {
        return Err(EvalError::Execution(format!("invalid label name {}", quoted(label))));
    }
    let table = engine.vector(&it.expr, grid)?;
    let mut grouped = it.clone();
    if !it.without && !grouped.labels.iter().any(|it| it == label) {
        grouped.labels.push(label.to_owned());
        grouped.labels.sort();
    }
    let mut out = engine.table(grid.steps);
    let mut rows: HashMap<Labels, usize> = HashMap::new();
    for (at, (row, cells)) in table.rows.iter().zip(table.cells()).enumerate() {
        engine.check_now_and_then(at)?;
        for (step, value) in cells.iter().enumerate().filter(|(_, value)| !is_stale(**value)) {
            let text = number::plain(*value);
            let pairs = row.labels.iter().filter(|(name, _)| *name != label).chain([(label, text.as_str())]);
            let labels = Labels::new(pairs).map_err(|error| EvalError::Execution(error.to_string()))?;
            let labels = group_labels(&labels, &grouped);
            let at = match rows.get(&labels) {
                Some(at) => *at,
                None => {
                    let at = out.push_empty(Row { labels: labels.clone(), drop_name: false })?;
                    rows.insert(labels, at);
                    at
                }
            };
            if let Some(cell) = out.values.get_mut(at * grid.steps + step) {
                *cell = if is_stale(*cell) { 1.0 } else { *cell + 1.0 };
            }
        }
    }
    Ok(out)
}
