//! Lines of cells, and the complaints about them.

use super::Fault;
use super::time::{self, Form};

/// Complaints that are told one by one.
const TOLD: usize = 5;
/// A month.
const LONGEST_RUN_S: f64 = 31.0 * 86_400.0;
/// Characters of a cell that a complaint quotes.
const QUOTED: usize = 40;

/// A text with one separator, perhaps a head, and rows.
#[derive(Debug)]
pub(super) struct Table<'a> {
    text: &'a str,
    separator: char,
    head: Option<Vec<String>>,
    first_line: usize,
    first_row: Vec<&'a str>,
    width: usize,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// Its line, from 1.
    pub(super) line: usize,
    cells: Vec<&'a str>,
}

impl<'a> Table<'a> {
    /// Looks at the first lines.
    pub(super) fn new(text: &'a str) -> Result<Self, Fault> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = lines(text);
        let Some((first_line, first)) = lines.next() else {
            return Err(Fault::whole("it is empty"));
        };
        let separator = [',', ';', '\t'].into_iter().max_by_key(|it| first.matches(*it).count());
        let separator = separator.filter(|it| first.contains(*it)).unwrap_or(',');
        let cells = split(first, separator);
        let headless = cells.first().is_some_and(|cell| time::parse(cell).is_some());
        let head = (!headless).then(|| cells.iter().map(|cell| cell.to_lowercase()).collect());
        let second = lines.next().map(|(_, line)| split(line, separator));
        let first_row = if headless { cells.clone() } else { second.unwrap_or_default() };
        Ok(Self { text, separator, head, first_line, first_row, width: cells.len() })
    }

    /// The names of the columns, in small letters.
    pub(super) fn head(&self) -> Option<&[String]> {
        self.head.as_deref()
    }

    /// Cells of the first line.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Number of the first line that is not empty.
    pub(super) fn first_line(&self) -> usize {
        self.first_line
    }

    /// The first column besides this one that begins with a number.
    pub(super) fn number_column_but(&self, other: usize) -> Option<usize> {
        let numbers = self.first_row.iter().map(|cell| cell.parse::<f64>().is_ok());
        numbers.enumerate().position(|(column, number)| number && column != other)
    }

    /// The rows below the head.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'a>> {
        let (separator, skip) = (self.separator, usize::from(self.head.is_some()));
        lines(self.text).skip(skip).map(move |(line, text)| Row { line, cells: split(text, separator) })
    }

    /// The name of a column for a complaint.
    fn column(&self, column: usize) -> String {
        let name = self.head.as_ref().and_then(|head| head.get(column));
        name.map_or_else(|| (column + 1).to_string(), |name| format!("{} ({name})", column + 1))
    }
}

/// What lines are left out, and why.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    unusable: usize,
    first: Vec<Fault>,
    unsorted: bool,
    form: Option<Form>,
}

impl Complaints {
    /// A number that is finite and not negative, or a complaint.
    pub(super) fn number(&mut self, table: &Table<'_>, row: &Row<'_>, column: usize) -> Option<f64> {
        let Some(cell) = row.cells.get(column) else {
            return self.refuse(table, row, column, "is missing".into());
        };
        match cell.parse::<f64>() {
            Ok(number) if number.is_finite() && number >= 0.0 => Some(number),
            Ok(_) => self.refuse(table, row, column, format!("{} is not a number from 0 on", quote(cell))),
            Err(_) => self.refuse(table, row, column, format!("{} is not a number", quote(cell))),
        }
    }

    /// A run time in seconds that somebody could have waited for, or a complaint.
    pub(super) fn run(&mut self, table: &Table<'_>, row: &Row<'_>, column: usize, run_s: f64) -> Option<f64> {
        if run_s <= LONGEST_RUN_S {
            return Some(run_s);
        }
        self.refuse(table, row, column, format!("a run of {run_s:.0} s; at most a month is replayed"))
    }

    /// A time in nanoseconds, in the form of the first one, or a complaint.
    pub(super) fn time(&mut self, table: &Table<'_>, row: &Row<'_>, column: usize) -> Option<i64> {
        let Some(cell) = row.cells.get(column) else {
            return self.refuse(table, row, column, "is missing".into());
        };
        match time::parse(cell) {
            Some((form, time)) if *self.form.get_or_insert(form) == form => Some(time),
            Some(_) => self.refuse(
                table,
                row,
                column,
                format!("{} is a time of another form than the first", quote(cell)),
            ),
            None => self.refuse(
                table,
                row,
                column,
                format!("{} is no time; write 2026-01-31 12:00:00 or seconds", quote(cell)),
            ),
        }
    }

    /// Whether a cell is there at all.
    pub(super) fn given(row: &Row<'_>, column: usize) -> bool {
        row.cells.get(column).is_some_and(|cell| !cell.is_empty())
    }

    /// Notes that the rows were not in order.
    pub(super) fn unsorted(&mut self) {
        self.unsorted = true;
    }

    /// Leaves a row out.
    pub(super) fn refuse<T>(
        &mut self,
        table: &Table<'_>,
        row: &Row<'_>,
        column: usize,
        what: String,
    ) -> Option<T> {
        self.unusable += 1;
        if self.first.len() < TOLD {
            self.first.push(Fault { line: Some(row.line), column: Some(table.column(column)), what });
        }
        None
    }

    /// What to tell of a text with so many usable rows; a fault when it is not worth replaying.
    pub(super) fn remarks(self, usable: usize) -> Result<Vec<String>, Fault> {
        if usable <= self.unusable {
            let Some(mut first) = self.first.into_iter().next() else {
                return Err(Fault::whole("it has no rows"));
            };
            let all = self.unusable + usable;
            first.what = format!("{}; {} of {all} lines are unusable", first.what, self.unusable);
            return Err(first);
        }
        let mut remarks: Vec<String> = self.first.iter().map(|it| format!("left out {it}")).collect();
        if self.unusable > remarks.len() {
            remarks.push(format!("left out {} more lines", self.unusable - remarks.len()));
        }
        if self.unsorted {
            remarks.push("put its lines in order of time".into());
        }
        Ok(remarks)
    }
}

/// Lines with something on them, numbered from 1; `#` begins a remark.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn split(line: &str, separator: char) -> Vec<&str> {
    line.split(separator).map(|cell| cell.trim().trim_matches('"').trim()).collect()
}

fn quote(cell: &str) -> String {
    let mut short: String =
        cell.chars().take(QUOTED).map(|it| if it.is_control() { '\u{b7}' } else { it }).collect();
    if cell.chars().nth(QUOTED).is_some() {
        short.push('…');
    }
    format!("\"{short}\"")
}
