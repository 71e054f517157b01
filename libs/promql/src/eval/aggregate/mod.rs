//! Aggregations: of the series of each group, at each step.

mod fold;
mod pick;
mod values;

use ops_samples::{Labels, NAME};

use super::engine::{Engine, Grid};
use super::signature::{Counted, Signatures};
use super::table::Table;
use crate::EvalError;
use crate::plan::{Aggregate, Aggregation, Expr};

/// Evaluates an aggregation.
pub(crate) fn aggregate(engine: &Engine<'_>, it: &Aggregate, grid: Grid) -> Result<Table, EvalError> {
    if it.aggregation == Aggregation::CountValues {
        return values::count_values(engine, it, grid);
    }
    let param = match &it.param {
        Some(param) => engine.scalar(param, grid)?,
        None => engine.numbers(Vec::new())?,
    };
    let table = engine.vector(&it.expr, grid)?;
    match it.aggregation {
        Aggregation::Topk | Aggregation::Bottomk | Aggregation::Limitk | Aggregation::LimitRatio => {
            pick::pick(engine, it, table, &param, grid)
        }
        Aggregation::Quantile => values::quantile(engine, it, &table, &param),
        _ => fold::fold(engine, it, &table),
    }
}

/// Which group each row is in.
struct Groups {
    /// Of each row.
    of: Vec<u32>,
    /// Of each group: its first row.
    first: Vec<usize>,
    /// Of each group: a row of it is to lose its name.
    drop_name: Vec<bool>,
}

impl Groups {
    fn new(engine: &Engine<'_>, it: &Aggregate, table: &Table) -> Result<Self, EvalError> {
        let mut groups =
            Self { of: Vec::with_capacity(table.rows.len()), first: Vec::new(), drop_name: Vec::new() };
        let counted = counted(it);
        let single = !it.without && it.labels.is_empty();
        let mut signatures = Signatures::default();
        for (at, row) in table.rows.iter().enumerate() {
            engine.check_now_and_then(at)?;
            let group = if single { 0 } else { signatures.of(&row.labels, counted) };
            if group as usize == groups.first.len() {
                groups.first.push(at);
                groups.drop_name.push(false);
            }
            if let Some(drop_name) = groups.drop_name.get_mut(group as usize) {
                *drop_name |= row.drop_name;
            }
            groups.of.push(group);
        }
        Ok(groups)
    }

    fn len(&self) -> usize {
        self.first.len()
    }

    /// The labels of a group, and whether it is to lose its name.
    fn row(&self, group: usize, it: &Aggregate, table: &Table) -> super::table::Row {
        let first = self.first.get(group).and_then(|at| table.rows.get(*at));
        let labels = first.map(|row| group_labels(&row.labels, it)).unwrap_or_default();
        super::table::Row { labels, drop_name: self.drop_name.get(group).copied().unwrap_or(false) }
    }
}

fn counted(it: &Aggregate) -> Counted<'_> {
    if it.without { Counted::Except(&it.labels) } else { Counted::Only(&it.labels) }
}

fn group_labels(labels: &Labels, it: &Aggregate) -> Labels {
    let listed = |name: &str| it.labels.iter().any(|it| it == name);
    let kept =
        |(name, _): &(&str, &str)| if it.without { !listed(name) && *name != NAME } else { listed(name) };
    // Pairs of a label set make a label set.
    Labels::from_sorted(labels.iter().filter(kept)).unwrap_or_default()
}

/// The text that an aggregation is given.
fn text(param: Option<&Expr>) -> &str {
    match param {
        Some(Expr::Text(text)) => text,
        _ => "",
    }
}
