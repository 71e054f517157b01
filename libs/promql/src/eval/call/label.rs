use ops_samples::{Labels, NAME};
use regex::{Regex, RegexBuilder};

use super::super::engine::{Engine, Grid};
use super::super::table::{Row, Table};
use super::{arg, text};
use crate::EvalError;
use crate::plan::{Call, literal_braces, names_label};

/// Largest compiled expression in bytes.
const MAX_REGEX: usize = 1 << 20;

/// `label_replace(v, target, replacement, source, regex)`
pub(super) fn replace(engine: &Engine<'_>, it: &Call, grid: Grid) -> Result<Table, EvalError> {
    let (target, replacement, source) = (text(it, 1)?, text(it, 2)?, text(it, 3)?);
    let regex = regex(text(it, 4)?)?;
    if !names_label(target) {
        return wrong(format!("invalid destination label name in label_replace(): {target}"));
    }
    let mut table = engine.vector(arg(it, 0)?, grid)?;
    let mut value = String::new();
    for (at, row) in table.rows.iter_mut().enumerate() {
        engine.check_now_and_then(at)?;
        let Some(found) = regex.captures(row.labels.get(source).unwrap_or_default()) else { continue };
        value.clear();
        found.expand(replacement, &mut value);
        set(row, target, &value)?;
    }
    table.merge()?;
    Ok(table)
}

/// `label_join(v, target, separator, source, …)`
pub(super) fn join(engine: &Engine<'_>, it: &Call, grid: Grid) -> Result<Table, EvalError> {
    let (target, separator) = (text(it, 1)?, text(it, 2)?);
    let sources = (3..it.args.len()).map(|at| text(it, at)).collect::<Result<Vec<_>, _>>()?;
    if let Some(source) = sources.iter().find(|source| !names_label(source)) {
        return wrong(format!("invalid source label name in label_join(): {source}"));
    }
    if !names_label(target) {
        return wrong(format!("invalid destination label name in label_join(): {target}"));
    }
    let mut table = engine.vector(arg(it, 0)?, grid)?;
    for (at, row) in table.rows.iter_mut().enumerate() {
        engine.check_now_and_then(at)?;
        let values: Vec<&str> =
            sources.iter().map(|source| row.labels.get(source).unwrap_or_default()).collect();
        let value = values.join(separator);
        set(row, target, &value)?;
    }
    table.merge()?;
    Ok(table)
}

fn wrong<T>(reason: String) -> Result<T, EvalError> {
    Err(EvalError::Execution(reason))
}

fn regex(text: &str) -> Result<Regex, EvalError> {
    let build = |text: &str| RegexBuilder::new(&format!("^(?s:{text})$")).size_limit(MAX_REGEX).build();
    // In Go's expressions braces that do not repeat stand for themselves.
    let regex = build(text).or_else(|_| build(&literal_braces(text)));
    regex.or_else(|_| wrong(format!("invalid regular expression in label_replace(): {text}")))
}

fn set(row: &mut Row, target: &str, value: &str) -> Result<(), EvalError> {
    let pairs = row.labels.iter().filter(|(name, _)| *name != target).chain([(target, value)]);
    row.labels = Labels::new(pairs).map_err(|error| EvalError::Execution(error.to_string()))?;
    if target == NAME {
        // It was named anew.
        row.drop_name = false;
    }
    Ok(())
}
