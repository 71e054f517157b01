use std::cell::RefCell;
use std::ops::Range;

use crate::Fault;

/// The text of a file, and the faults found in it so far.
pub(crate) struct Reader<'t> {
    text: &'t str,
    faults: RefCell<Vec<Fault>>,
}

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) key: String,
    pub(crate) span: Range<usize>,
}

impl<T> At<T> {
    /// Another value at the same place.
    pub(crate) fn with<U>(&self, value: U) -> At<U> {
        At { value, key: self.key.clone(), span: self.span.clone() }
    }
}

impl<'t> Reader<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, faults: RefCell::default() }
    }

    /// Notes a fault at `span`.
    pub(crate) fn fault(
        &self,
        span: &Range<usize>,
        key: &str,
        problem: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let (line, column) = self.place(span.start);
        let fault = Fault { line, column, key: key.to_owned(), problem: problem.into(), fix: fix.into() };
        self.faults.borrow_mut().push(fault);
    }

    /// Notes a fault where a value stands.
    pub(crate) fn wrong<T>(&self, at: &At<T>, problem: impl Into<String>, fix: impl Into<String>) {
        self.fault(&at.span, &at.key, problem, fix);
    }

    /// All faults, in the order of the file.
    pub(crate) fn into_faults(self) -> Vec<Fault> {
        let mut faults = self.faults.into_inner();
        faults.sort();
        faults.dedup();
        faults
    }

    fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        (line, column)
    }
}

/// What the writer wrote, as it can safely be shown: in quotes, on one line, not too long.
pub(crate) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{dots}")
}
