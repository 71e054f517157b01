//! Reads recorded traces from text. What is unusable is said by line and column, never guessed.
//!
//! One file per kind of trace. To add one: a file with `read`, an arm in [`read`], and its header in `kind`.

mod counts;
mod jobs;
mod requests;
mod table;
mod time;

use std::fmt;

use super::Job;
use table::{Complaints, Table};

/// The largest text that is read; larger ones belong into wider bins.
pub const LARGEST_BYTES: usize = 64 << 20;
/// The longest trace in days; beyond it a time is more likely wrong than meant.
const LONGEST_DAYS: f64 = 400.0;

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// The file's name without folder and ending.
    pub name: String,
    /// Its arrivals.
    pub what: Recorded,
    /// What was left out or put right.
    pub remarks: Vec<String>,
}

/// The arrivals of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    /// How many came in each step of time.
    Counts(Vec<Bin>),
    /// Each on its own.
    Jobs(Vec<Job>),
}

/// A step of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Its begin, in seconds since the trace began.
    pub start_s: f64,
    /// Its length in seconds.
    pub length_s: f64,
    /// Arrivals in it.
    pub count: f64,
}

/// Why a text is no trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column, by its name or its number.
    pub column: Option<String>,
    /// What is wrong.
    pub what: String,
}

impl Fault {
    /// A fault of the whole text.
    fn whole(what: impl Into<String>) -> Self {
        Self { line: None, column: None, what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}")?;
            if let Some(column) = &self.column {
                write!(f, ", column {column}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for Fault {}

/// The kinds of traces, told by their columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counts { time: usize, count: usize },
    Requests { time: usize, context: usize, generated: usize },
    Jobs { arrival: usize, run: usize, due: Option<usize> },
}

/// Reads a trace; `name` is that of its file.
pub fn read(name: &str, text: &str) -> Result<Recording, Fault> {
    if text.len() > LARGEST_BYTES {
        return Err(Fault::whole(too_large(text.len() as u64)));
    }
    let table = Table::new(text)?;
    let mut complaints = Complaints::default();
    let what = match kind(&table)? {
        Kind::Counts { time, count } => Recorded::Counts(counts::read(&table, time, count, &mut complaints)),
        Kind::Requests { time, context, generated } => {
            let slow = name.to_lowercase().contains("code");
            Recorded::Jobs(requests::read(&table, [time, context, generated], slow, &mut complaints))
        }
        Kind::Jobs { arrival, run, due } => {
            Recorded::Jobs(jobs::read(&table, arrival, run, due, &mut complaints))
        }
    };
    let (usable, length_s) = match &what {
        Recorded::Counts(bins) => (bins.len(), bins.last().map_or(0.0, |bin| bin.start_s + bin.length_s)),
        Recorded::Jobs(jobs) => (jobs.len(), jobs.last().map_or(0.0, |job| job.due_s)),
    };
    let remarks = complaints.remarks(usable)?;
    if length_s > LONGEST_DAYS * 86_400.0 {
        let days = length_s / 86_400.0;
        return Err(Fault::whole(format!(
            "it spans {days:.0} days, at most {LONGEST_DAYS} are replayed: is a time wrong?"
        )));
    }
    Ok(Recording { name: stem(name).to_owned(), what, remarks })
}

/// The words for a text beyond [`LARGEST_BYTES`].
pub fn too_large(bytes: u64) -> String {
    format!("it has {} MiB, at most {} are read: use wider steps", bytes >> 20, LARGEST_BYTES >> 20)
}

fn stem(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

fn kind(table: &Table<'_>) -> Result<Kind, Fault> {
    const TIMES: &[&str] =
        &["timestamp", "time", "date", "datetime", "ts", "minute", "bucket", "ds", "start"];
    const COUNTS: &[&str] =
        &["value", "count", "counts", "requests", "arrivals", "jobs", "n", "total", "invocations", "y"];
    const ARRIVALS: &[&str] = &["arrival", "arrived", "arrival_s", "arrived_at", "submit", "submitted"];
    const RUNS: &[&str] =
        &["run_seconds", "run", "run_s", "run_time", "runtime", "duration", "duration_s", "service_s"];
    const DUES: &[&str] = &["due", "due_s", "due_at"];
    let Some(head) = table.head() else {
        // Without a head: time and count.
        return match table.width() {
            2.. => Ok(Kind::Counts { time: 0, count: 1 }),
            _ => Err(Fault {
                line: Some(table.first_line()),
                column: None,
                what: "there is one column; a trace has a time and a count".into(),
            }),
        };
    };
    let find = |names: &[&str]| head.iter().position(|it| names.contains(&it.as_str()));
    let time = find(TIMES).or_else(|| head.iter().position(|it| it.contains("time") || it.contains("date")));
    if let (Some(time), Some(context), Some(generated)) =
        (time, find(&["contexttokens"]), find(&["generatedtokens"]))
    {
        return Ok(Kind::Requests { time, context, generated });
    }
    if let (Some(arrival), Some(run)) = (find(ARRIVALS).or(time), find(RUNS)) {
        return Ok(Kind::Jobs { arrival, run, due: find(DUES) });
    }
    let count = find(COUNTS).filter(|it| Some(*it) != time);
    if let (Some(time), Some(count)) = (time, count.or_else(|| table.number_column_but(time?))) {
        return Ok(Kind::Counts { time, count });
    }
    Err(Fault {
        line: Some(table.first_line()),
        column: None,
        what: format!(
            "columns {} are of no known trace; known are `timestamp,value` (arrivals per step), \
             `arrival,run_seconds[,due]` (one job a line) and `TIMESTAMP,ContextTokens,GeneratedTokens`",
            head.join(", ")
        ),
    })
}

#[cfg(test)]
mod tests;
