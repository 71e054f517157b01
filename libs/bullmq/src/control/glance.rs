//! Looking at one job without reading more of it than one wants.

use std::collections::HashMap;

use crate::{Error, Job, Queue};

/// What a job's hash may hold of use to a person; all but a job's own texts are short.
const FIELDS: [&str; 17] = [
    "name",
    "data",
    "opts",
    "returnvalue",
    "failedReason",
    "stacktrace",
    "progress",
    "timestamp",
    "processedOn",
    "finishedOn",
    "atm",
    "attemptsMade",
    "ats",
    "stc",
    "delay",
    "priority",
    "pb",
];

impl Queue {
    /// Whether there is such a queue: somebody has opened it, or added a job to it.
    pub async fn exists(&self) -> Result<bool, Error> {
        let mut pipe = redis::pipe();
        pipe.exists(&[self.key("meta"), self.key("id"), self.key("events")]);
        let (found,): (u64,) = self.client().pipe(&pipe).await?;
        Ok(found > 0)
    }

    /// The job of this id without its fields that are longer than `longest` bytes, and their names.
    pub async fn job_within(
        &self,
        id: &str,
        longest: u64,
    ) -> Result<Option<(Job, Vec<&'static str>)>, Error> {
        let key = self.key(id);
        // Others of the queue's keys have names that could be an id.
        let mut kind = redis::pipe();
        kind.cmd("TYPE").arg(&key);
        let (kind,): (String,) = self.client().pipe(&kind).await?;
        if kind != "hash" {
            return Ok(None);
        }
        let mut lengths = redis::pipe();
        for field in FIELDS {
            lengths.cmd("HSTRLEN").arg(&key).arg(field);
        }
        let lengths: Vec<u64> = self.client().pipe(&lengths).await?;
        let (mut wanted, mut left_out) = (Vec::new(), Vec::new());
        for (field, length) in FIELDS.into_iter().zip(lengths) {
            if length > longest { left_out.push(field) } else { wanted.push(field) }
        }
        let mut pipe = redis::pipe();
        pipe.cmd("HMGET").arg(&key).arg(&wanted);
        let (values,): (Vec<Option<Vec<u8>>>,) = self.client().pipe(&pipe).await?;
        let fields: HashMap<String, Vec<u8>> = wanted
            .into_iter()
            .zip(values)
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect();
        let there = fields.contains_key("name") && fields.contains_key("timestamp");
        Ok(there.then(|| (Job::read(self, id.to_owned(), fields).0, left_out)))
    }
}
