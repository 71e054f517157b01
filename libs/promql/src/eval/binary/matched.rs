use hashbrown::HashMap;
use ops_samples::{Labels, NAME, is_stale};

use super::super::engine::Engine;
use super::super::number;
use super::super::table::{NOTHING, Row, Table, nameless};
use super::{compute, sign};
use crate::EvalError;
use crate::plan::{Link, Many, Matching};

/// Which row has a value, plus one; zero: none.
type Present = Vec<u32>;

/// Arithmetic and comparisons between the series of two vectors.
pub(super) fn matched(
    engine: &Engine<'_>,
    link: &Link,
    left: Table,
    right: Table,
) -> Result<Table, EvalError> {
    let (left_signs, right_signs, count) = sign(&link.matching, &left, &right);
    let swapped = link.matching.many == Many::Right;
    let (many, one, many_signs, one_signs) =
        if swapped { (right, left, right_signs, left_signs) } else { (left, right, left_signs, right_signs) };
    let mut held = engine.held();
    held.grow(count.saturating_mul(many.steps) / 2)?;
    let present = present(link, &many, &one, &one_signs, count)?;
    let mut pairs = Pairs::new(engine, link, swapped, many.steps, count);
    for (at, sign) in many_signs.iter().enumerate() {
        engine.check_now_and_then(at)?;
        pairs.row(&many, at, &one, &present, *sign)?;
    }
    if let Some(fill) = link.matching.fill_left {
        for (at, sign) in one_signs.iter().enumerate() {
            pairs.unmatched(&one, at, *sign, fill)?;
        }
    }
    let mut out = pairs.out;
    out.compact();
    Ok(out)
}

/// Of each signature at each step: the row of the side of the one.
fn present(
    link: &Link,
    many: &Table,
    one: &Table,
    signs: &[u32],
    count: usize,
) -> Result<Present, EvalError> {
    let steps = one.steps;
    let mut present: Present = vec![0; count * steps];
    let mut matters: Option<Vec<bool>> = None;
    for (at, (cells, sign)) in one.cells().zip(signs).enumerate() {
        let start = *sign as usize * steps;
        let Some(present) = present.get_mut(start..start + steps) else { continue };
        for (step, (present, _)) in
            present.iter_mut().zip(cells).enumerate().filter(|(_, (_, it))| !is_stale(**it))
        {
            let before = (*present as usize).checked_sub(1);
            if let Some(before) = before {
                let matters = matters.get_or_insert_with(|| matters_at(link, many));
                if matters.get(step).copied().unwrap_or(true) {
                    return Err(double(link, one, before, at));
                }
            }
            *present = u32::try_from(at + 1).unwrap_or(u32::MAX);
        }
    }
    Ok(present)
}

/// Whether there is anything that could be matched, at each step.
fn matters_at(link: &Link, many: &Table) -> Vec<bool> {
    let filled = link.matching.fill_left.is_some() || link.matching.fill_right.is_some();
    let mut matters = vec![filled; many.steps];
    for cells in many.cells() {
        matters.iter_mut().zip(cells).for_each(|(matters, value)| *matters |= !is_stale(*value));
    }
    matters
}

fn double(link: &Link, one: &Table, a: usize, b: usize) -> EvalError {
    let labels = |at: usize| one.rows.get(at).map(|row| row.labels.clone()).unwrap_or_default();
    let mut both = [number::labels(&labels(a)), number::labels(&labels(b))];
    both.sort();
    let [first, second] = both;
    let side = if link.matching.many == Many::Right { "left" } else { "right" };
    let group = number::labels(&match_labels(&labels(b), &link.matching));
    EvalError::Execution(format!(
        "found duplicate series for the match group {group} on the {side} hand-side of the operation: [{first}, \
         {second}];many-to-many matching not allowed: matching labels must be unique on one side"
    ))
}

/// The labels by which a series is matched.
fn match_labels(labels: &Labels, matching: &Matching) -> Labels {
    let listed = |name: &str| matching.labels.iter().any(|it| it == name);
    let kept =
        |(name, _): &(&str, &str)| if matching.on { listed(name) } else { !listed(name) && *name != NAME };
    Labels::from_sorted(labels.iter().filter(kept)).unwrap_or_default()
}

/// The results of pairs.
struct Pairs<'a> {
    link: &'a Link,
    swapped: bool,
    one_to_one: bool,
    out: Table,
    /// The rows of `out`.
    rows: HashMap<(Labels, bool), usize>,
    /// One to one: signatures that were matched, by step. Else: cells of `out` that were.
    matched: Vec<bool>,
    /// Many to one: signatures of which any was matched, by step.
    any: Vec<bool>,
}

impl<'a> Pairs<'a> {
    fn new(engine: &Engine<'_>, link: &'a Link, swapped: bool, steps: usize, count: usize) -> Self {
        let one_to_one = link.matching.many == Many::None;
        let signs = count * steps;
        Self {
            link,
            swapped,
            one_to_one,
            out: engine.table(steps),
            rows: HashMap::new(),
            matched: if one_to_one { vec![false; signs] } else { Vec::new() },
            any: if one_to_one { Vec::new() } else { vec![false; signs] },
        }
    }

    /// Pairs a row of the many with what is on the other side at each step.
    fn row(
        &mut self,
        many: &Table,
        at: usize,
        one: &Table,
        present: &Present,
        sign: u32,
    ) -> Result<(), EvalError> {
        let (Some(row), steps) = (many.rows.get(at), many.steps) else { return Ok(()) };
        let mut last: Option<(u32, usize)> = None;
        for step in 0..steps {
            let value = many.values.get(at * steps + step).copied().unwrap_or(NOTHING);
            if is_stale(value) {
                continue;
            }
            let found = present.get(sign as usize * steps + step).copied().unwrap_or(0);
            let other = match (found as usize).checked_sub(1) {
                Some(found) => one.values.get(found * steps + step).copied().unwrap_or(NOTHING),
                None => match self.link.matching.fill_right {
                    Some(fill) => fill,
                    None => continue,
                },
            };
            let out = match last {
                Some((of, out)) if of == found => out,
                _ => {
                    let labels = match (found as usize).checked_sub(1).and_then(|found| one.rows.get(found)) {
                        Some(one) => self.labels(&row.labels, &one.labels)?,
                        None => self.labels(&row.labels, &match_labels(&row.labels, &self.link.matching))?,
                    };
                    self.out_row(labels, row.drop_name)?
                }
            };
            last = Some((found, out));
            self.pair(sign, step, out, value, other)?;
        }
        Ok(())
    }

    /// Pairs a row of the one, where nothing was matched with it, with a fixed value.
    fn unmatched(&mut self, one: &Table, at: usize, sign: u32, fill: f64) -> Result<(), EvalError> {
        let (Some(row), steps) = (one.rows.get(at), one.steps) else { return Ok(()) };
        let mut out = None;
        for step in 0..steps {
            let value = one.values.get(at * steps + step).copied().unwrap_or(NOTHING);
            let matched = if self.one_to_one { &self.matched } else { &self.any };
            if is_stale(value) || matched.get(sign as usize * steps + step).copied().unwrap_or(false) {
                continue;
            }
            let out = match out {
                Some(out) => out,
                None => {
                    let many = match_labels(&row.labels, &self.link.matching);
                    let labels = self.labels(&many, &row.labels)?;
                    *out.insert(self.out_row(labels, false)?)
                }
            };
            self.pair(sign, step, out, fill, value)?;
        }
        Ok(())
    }

    fn pair(&mut self, sign: u32, step: usize, out: usize, many: f64, one: f64) -> Result<(), EvalError> {
        let (left, right) = if self.swapped { (one, many) } else { (many, one) };
        let (value, kept) = compute(self.link.operator, left, right);
        let steps = self.out.steps;
        let cell = out * steps + step;
        if !self.one_to_one {
            if let Some(any) = self.any.get_mut(sign as usize * steps + step) {
                *any = true;
            }
            if self.matched.len() <= cell {
                self.matched.resize(self.out.values.len(), false);
            }
        }
        let seen = if self.one_to_one { sign as usize * steps + step } else { cell };
        if let Some(seen) = self.matched.get_mut(seen)
            && std::mem::replace(seen, true)
        {
            return Err(EvalError::Execution(self.ambiguous().to_owned()));
        }
        if let Some(cell) = self.out.values.get_mut(cell) {
            *cell = match (self.link.operator.compares(), self.link.boolean) {
                (true, true) => f64::from(u8::from(kept)),
                (true, false) if !kept => *cell,
                _ => number::clean(value),
            };
        }
        Ok(())
    }

    fn ambiguous(&self) -> &'static str {
        if self.one_to_one {
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
        } else {
            "multiple matches for labels: grouping labels must ensure unique matches"
        }
    }

    /// The row of the result with these labels.
    fn out_row(&mut self, labels: Labels, drop_name: bool) -> Result<usize, EvalError> {
        // A comparison keeps the name if there was one to keep; arithmetic has taken it away, or named it anew.
        let named = self.link.matching.include.iter().any(|name| name == NAME);
        let drop_name = self.link.boolean || (drop_name && self.link.operator.compares() && !named);
        let key = (labels, drop_name);
        if let Some(at) = self.rows.get(&key) {
            return Ok(*at);
        }
        let at = self.out.push_empty(Row { labels: key.0.clone(), drop_name })?;
        self.rows.insert(key, at);
        Ok(at)
    }

    /// The labels of the result of a pair.
    fn labels(&self, many: &Labels, one: &Labels) -> Result<Labels, EvalError> {
        let matching = &self.link.matching;
        let many = if self.link.operator.compares() { many.clone() } else { nameless(many) };
        let listed = |name: &str| matching.labels.iter().any(|it| it == name);
        let included = |name: &str| matching.include.iter().any(|it| it == name);
        let kept =
            |(name, _): &(&str, &str)| (!self.one_to_one || listed(name) == matching.on) && !included(name);
        let base = many.iter().filter(kept);
        if matching.include.is_empty() {
            return Ok(Labels::from_sorted(base).unwrap_or_default());
        }
        let taken = matching.include.iter().filter_map(|name| Some((name.as_str(), one.get(name)?)));
        let mut pairs: Vec<(&str, &str)> = base.chain(taken).collect();
        pairs.sort_unstable();
        pairs.dedup();
        Labels::new(pairs).map_err(|error| EvalError::Execution(error.to_string()))
    }
}
