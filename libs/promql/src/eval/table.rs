use std::cell::Cell;
use std::rc::Rc;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use ops_samples::{Labels, NAME, STALE, is_stale};

use crate::EvalError;

/// What a cell without a value holds.
pub(crate) const NOTHING: f64 = STALE;

/// Labels that say what a metric is; what is computed from it is something else.
const METADATA: [&str; 3] = [NAME, "__type__", "__unit__"];

/// A series of a table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) labels: Labels,
    /// Its name will be taken away at the end, unless something names it anew.
    pub(crate) drop_name: bool,
}

/// Series and their values at all steps.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Row>,
    /// `steps` for each row.
    pub(crate) values: Vec<f64>,
    pub(crate) steps: usize,
    held: Held,
}

impl Table {
    pub(crate) fn new(steps: usize, held: Held) -> Self {
        Self { rows: Vec::new(), values: Vec::new(), steps: steps.max(1), held }
    }

    /// Adds a row, unless it has no value.
    pub(crate) fn push(&mut self, row: Row, values: &[f64]) -> Result<(), EvalError> {
        let present = values.iter().filter(|value| !is_stale(**value)).count();
        if present == 0 {
            return Ok(());
        }
        // Cells without a value take memory too.
        self.held.grow(present.max(values.len() / 4))?;
        self.rows.push(row);
        self.values.extend_from_slice(values);
        Ok(())
    }

    /// Adds a row without values, which is to be filled; its number.
    pub(crate) fn push_empty(&mut self, row: Row) -> Result<usize, EvalError> {
        self.held.grow(self.steps)?;
        self.rows.push(row);
        self.values.resize(self.values.len() + self.steps, NOTHING);
        Ok(self.rows.len() - 1)
    }

    /// The values of each row.
    pub(crate) fn cells(&self) -> std::slice::ChunksExact<'_, f64> {
        self.values.chunks_exact(self.steps)
    }

    /// Takes away rows without a value.
    pub(crate) fn compact(&mut self) {
        let full = |cells: &[f64]| cells.iter().any(|value| !is_stale(*value));
        if self.cells().all(full) {
            return;
        }
        let kept: Vec<bool> = self.cells().map(full).collect();
        let mut keep = kept.iter();
        self.rows.retain(|_| keep.next().copied().unwrap_or(true));
        let cells: Vec<f64> = self
            .cells()
            .zip(&kept)
            .filter(|(_, keep)| **keep)
            .flat_map(|(cells, _)| cells.iter().copied())
            .collect();
        self.values = cells;
    }

    /// Puts rows in another order; rows whose number is not in `order` are left out.
    pub(crate) fn reorder(&mut self, order: &[usize]) {
        let rows = order.iter().filter_map(|at| self.rows.get(*at).cloned()).collect();
        let cells = order.iter().filter_map(|at| self.values.get(at * self.steps..(at + 1) * self.steps));
        self.values = cells.flatten().copied().collect();
        self.rows = rows;
    }

    /// Joins rows with the same labels that have values at different steps; one that is to lose its name is another.
    ///
    /// # Errors
    /// Two such rows with a value at the same step.
    pub(crate) fn merge(&mut self) -> Result<(), EvalError> {
        let mut first: HashMap<(Labels, bool), usize> = HashMap::with_capacity(self.rows.len());
        let mut doubles = Vec::new();
        for (at, row) in self.rows.iter().enumerate() {
            match first.entry((row.labels.clone(), row.drop_name)) {
                Entry::Occupied(it) => doubles.push((at, *it.get())),
                Entry::Vacant(it) => {
                    it.insert(at);
                }
            }
        }
        if doubles.is_empty() {
            return Ok(());
        }
        let steps = self.steps;
        for (from, to) in &doubles {
            for step in 0..steps {
                let value = self.values.get(from * steps + step).copied().unwrap_or(NOTHING);
                let Some(cell) = self.values.get_mut(to * steps + step) else { continue };
                match (is_stale(value), is_stale(*cell)) {
                    (true, _) => {}
                    (false, true) => *cell = value,
                    (false, false) => return Err(same_labels()),
                }
            }
        }
        let mut doubles = doubles.iter().map(|(from, _)| *from).peekable();
        let order: Vec<usize> =
            (0..self.rows.len()).filter(|at| doubles.next_if(|double| double == at).is_none()).collect();
        self.reorder(&order);
        Ok(())
    }

    /// Takes the names away that were to be, and joins what is then the same.
    pub(crate) fn finish(&mut self) -> Result<(), EvalError> {
        for row in self.rows.iter_mut().filter(|row| row.drop_name) {
            row.labels = nameless(&row.labels);
            row.drop_name = false;
        }
        if self.rows.len() > 1 { self.merge() } else { Ok(()) }
    }
}

/// The labels without what says what metric it is.
pub(crate) fn nameless(labels: &Labels) -> Labels {
    let pairs = labels.iter().filter(|(name, _)| !METADATA.contains(name));
    // Pairs of a label set make a label set.
    Labels::from_sorted(pairs).unwrap_or_default()
}

pub(crate) fn same_labels() -> EvalError {
    EvalError::Execution("vector cannot contain metrics with the same labelset".to_owned())
}

pub(crate) fn too_many() -> EvalError {
    EvalError::Limit("query processing would load too many samples into memory in query execution".to_owned())
}

/// Samples that are held by something; they are given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    total: Rc<Cell<usize>>,
    most: usize,
    mine: usize,
}

impl Held {
    pub(crate) fn new(total: Rc<Cell<usize>>, most: usize) -> Self {
        Self { total, most, mine: 0 }
    }

    /// Holds `count` more.
    pub(crate) fn grow(&mut self, count: usize) -> Result<(), EvalError> {
        let total = self.total.get().saturating_add(count);
        if total > self.most {
            return Err(too_many());
        }
        self.total.set(total);
        self.mine += count;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.total.set(self.total.get().saturating_sub(self.mine));
    }
}
