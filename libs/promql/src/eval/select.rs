use ops_samples::{Sample, is_stale};
use ops_series::Want;

use super::engine::{Engine, Grid};
use super::number::clean;
use super::table::{NOTHING, Row, Table};
use crate::EvalError;
use crate::plan::Selected;

/// What is taken of a sample.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Take {
    /// Its value.
    Values,
    /// When it was taken, in seconds.
    Times,
}

/// The newest sample of each series at each step, unless it is too old or says that the series ended.
pub(crate) fn instant(
    engine: &Engine<'_>,
    series: &Selected,
    grid: Grid,
    take: Take,
) -> Result<Table, EvalError> {
    let (first, last) = engine.span(series.at, series.offset_ms, grid);
    let fixed = first == last;
    let want = if fixed { Want::Newest } else { Want::All };
    let selection = engine.select(series, (first.saturating_sub(engine.lookback_ms()), last), want)?;
    let mut held = engine.held();
    held.grow(selection.samples())?;
    let mut table = engine.table(grid.steps);
    table.rows.reserve(selection.len());
    let mut cells = vec![NOTHING; grid.steps];
    for (at, (labels, samples)) in selection.iter().enumerate() {
        engine.check_now_and_then(at)?;
        if fixed {
            cells.fill(samples.last().map_or(NOTHING, |sample| cell(sample, take)));
        } else {
            let looks = Looks { first, step_ms: grid.step_ms, lookback_ms: engine.lookback_ms(), take };
            looks.fill(samples, &mut cells);
        }
        table.push(Row { labels: labels.clone(), drop_name: take == Take::Times }, &cells)?;
    }
    Ok(table)
}

fn cell(sample: &Sample, take: Take) -> f64 {
    match take {
        _ if is_stale(sample.value) => NOTHING,
        Take::Values => sample.value,
        Take::Times => clean(sample.at_ms as f64 / 1_000.0),
    }
}

/// When a selector looks, and how far back.
struct Looks {
    first: i64,
    step_ms: i64,
    lookback_ms: i64,
    take: Take,
}

impl Looks {
    fn fill(&self, samples: &[Sample], cells: &mut [f64]) {
        let mut rest = samples.iter();
        let mut next = rest.next();
        let mut newest: Option<&Sample> = None;
        let mut time = self.first;
        for it in cells {
            while let Some(sample) = next
                && sample.at_ms <= time
            {
                newest = next;
                next = rest.next();
            }
            let fresh = newest.filter(|sample| sample.at_ms > time.saturating_sub(self.lookback_ms));
            *it = fresh.map_or(NOTHING, |sample| cell(sample, self.take));
            time = time.saturating_add(self.step_ms);
        }
    }
}
