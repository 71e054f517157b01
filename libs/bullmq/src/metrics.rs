//! How many jobs ended a minute, as workers with metrics count them.

use crate::{Error, Queue, State};

/// The most minutes that are read at once: two weeks, which is npm's longest preset too.
const LONGEST: u64 = 20_160;

/// Jobs that ended in one way.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Metrics {
    /// How many ended since counting began.
    pub total: u64,
    /// Until when the minutes below reach, in ms since 1970; nothing when nobody counts.
    pub until: Option<i64>,
    /// How many ended in each minute, the newest complete one first.
    pub minutes: Vec<u64>,
}

impl Queue {
    /// How many jobs completed or failed in each of the newest so many minutes.
    pub async fn metrics(&self, ended: State, minutes: u64) -> Result<Metrics, Error> {
        if !matches!(ended, State::Completed | State::Failed) {
            return Err(Error::Option("only completed and failed jobs are counted".to_owned()));
        }
        let key = self.key(&format!("metrics:{}", ended.key()));
        let mut pipe = redis::pipe();
        pipe.hmget(&key, &["count", "prevTS"]);
        pipe.lrange(format!("{key}:data"), 0, minutes.clamp(1, LONGEST) as isize - 1);
        type Known = (Option<u64>, Option<i64>);
        let ((total, until), minutes): (Known, Vec<f64>) = self.client().pipe(&pipe).await?;
        let minutes = minutes.into_iter().map(|jobs| jobs.max(0.0) as u64).collect();
        Ok(Metrics { total: total.unwrap_or(0), until, minutes })
    }
}
