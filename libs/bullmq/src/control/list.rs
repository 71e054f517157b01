//! Looking at the jobs of a state, page by page.

use std::time::Duration;

use crate::{Error, Queue, State};

/// The most jobs on a page.
const LONGEST_PAGE: u64 = 1000;
/// The longest text of one field, in bytes. A whole job is read by its id.
const LONGEST_TEXT: u64 = 2048;

/// One page of the jobs of a state.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Page {
    /// How many jobs are in the state.
    pub total: u64,
    /// The jobs of this page.
    pub jobs: Vec<Listed>,
}

/// Which jobs come first on the first page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Those that run next, are due next, or ended first.
    #[default]
    OldestFirst,
    /// Those that were added, are due, or ended last.
    NewestFirst,
}

/// A job as it stands on a page. Texts are cut off at 2 KiB, so that a page stays small whatever the jobs carry.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Listed {
    /// The id within its queue.
    pub id: String,
    /// The name, which says what kind of job it is.
    pub name: String,
    /// The beginning of the data, as JSON.
    pub data: String,
    /// The beginning of the options, as JSON.
    pub opts: String,
    /// The beginning of what its handler returned, as JSON.
    pub return_value: String,
    /// The beginning of why the last attempt failed.
    pub failed_reason: String,
    /// The beginning of what its handler last told of its progress, as JSON.
    pub progress: String,
    /// How many attempts have ended.
    pub attempts_made: u32,
    /// 0 goes first, then 1 and so on.
    pub priority: u32,
    /// The wait it is in; zero once it is due.
    pub delay: Duration,
    /// When it was added, in ms since 1970.
    pub timestamp: Option<i64>,
    /// When the last attempt began, in ms since 1970.
    pub processed_on: Option<i64>,
    /// When it completed or failed for good, in ms since 1970.
    pub finished_on: Option<i64>,
}

const FIELDS: [&str; 12] = [
    "name",
    "data",
    "opts",
    "returnvalue",
    "failedReason",
    "progress",
    "atm",
    "priority",
    "delay",
    "timestamp",
    "processedOn",
    "finishedOn",
];

impl Queue {
    /// A page of the jobs of a state, after the first `offset` of them. At most a thousand.
    pub async fn page(&self, state: State, offset: u64, length: u64, order: Order) -> Result<Page, Error> {
        let length = length.clamp(1, LONGEST_PAGE);
        let mut call = self.script(&self.client().scripts().page);
        call.arg(state.key()).arg(state.shape()).arg(offset).arg(offset.saturating_add(length - 1));
        call.arg(if order == Order::NewestFirst { "1" } else { "" }).arg(LONGEST_TEXT).arg(&FIELDS);
        let (total, rows): (u64, Vec<Vec<Vec<u8>>>) = self.client().run(&call).await?;
        Ok(Page { total, jobs: rows.into_iter().map(Listed::read).collect() })
    }

    /// Lines of a job's log, the oldest first, after the first `offset` of them, and how many there are. At most a thousand.
    pub async fn log_lines(&self, id: &str, offset: u64, length: u64) -> Result<(Vec<String>, u64), Error> {
        let key = self.key(&format!("{id}:logs"));
        let (first, length) = (offset.min(i64::MAX as u64 / 2), length.clamp(1, LONGEST_PAGE));
        let mut pipe = redis::pipe();
        pipe.lrange(&key, first as isize, (first + length - 1) as isize).llen(&key);
        self.client().pipe(&pipe).await
    }
}

impl Listed {
    fn read(row: Vec<Vec<u8>>) -> Self {
        // A text may have been cut within a character.
        let mut texts = row.into_iter().map(|raw| String::from_utf8_lossy(&raw).into_owned());
        let mut text = || texts.next().unwrap_or_default();
        Self {
            id: text(),
            name: text(),
            data: text(),
            opts: text(),
            return_value: text(),
            failed_reason: text(),
            progress: text(),
            attempts_made: text().parse().unwrap_or(0),
            priority: text().parse().unwrap_or(0),
            delay: Duration::from_millis(text().parse().unwrap_or(0)),
            timestamp: text().parse().ok(),
            processed_on: text().parse().ok(),
            finished_on: text().parse().ok(),
        }
    }
}
