//! What a parent knows of its children.

use std::collections::HashMap;

use redis::FromRedisValue;
use serde_json::Value;

use crate::{Error, Job, Parent, Queue};

/// How many entries are read at once.
const AT_ONCE: usize = 1000;

/// How many children of a job are in which condition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// Not ended yet.
    pub pending: u64,
    /// Completed.
    pub completed: u64,
    /// Failed, and the parent goes on.
    pub ignored: u64,
    /// Failed, and the parent fails for it.
    pub failed: u64,
}

impl Job {
    /// What the completed children returned, by their keys (`bull:queue:id`).
    pub async fn children_values(&self) -> Result<HashMap<String, Value>, Error> {
        let values: HashMap<String, String> = self.collect("HSCAN", "processed").await?;
        Ok(values
            .into_iter()
            .map(|(key, raw)| (key, serde_json::from_str(&raw).unwrap_or(Value::String(raw))))
            .collect())
    }

    /// Why children failed that this job goes on without, by their keys.
    pub async fn child_failures(&self) -> Result<HashMap<String, String>, Error> {
        self.collect("HSCAN", "failed").await
    }

    /// How many children are in which condition, in one round trip.
    pub async fn dependencies(&self) -> Result<Dependencies, Error> {
        let mut pipe = redis::pipe();
        pipe.scard(self.relation("dependencies"))
            .hlen(self.relation("processed"))
            .hlen(self.relation("failed"))
            .zcard(self.relation("unsuccessful"));
        let (pending, completed, ignored, failed) = self.link.client().pipe(&pipe).await?;
        Ok(Dependencies { pending, completed, ignored, failed })
    }

    /// This job as the parent of others, for [`JobOptions::parent`](crate::JobOptions::parent): a handler adds children so and
    /// returns [`JobError::WaitForChildren`](crate::JobError::WaitForChildren).
    pub fn as_parent(&self) -> Parent {
        self.link.parent(&self.id)
    }

    /// Another queue on the same connection, for a handler that adds jobs.
    pub fn sibling_queue(&self, name: &str) -> Result<Queue, Error> {
        Queue::new(self.link.client(), name)
    }

    /// At most so many children of each condition: the names of their queues and their ids.
    pub(crate) async fn children(&self, most: usize) -> Result<Vec<(String, String)>, Error> {
        let most = most.max(1);
        let scan = |command: &str, part: &str| {
            let mut command = redis::cmd(command);
            command.arg(self.relation(part)).arg(0).arg("COUNT").arg(most);
            command
        };
        let mut pipe = redis::pipe();
        pipe.add_command(scan("SSCAN", "dependencies"));
        pipe.add_command(scan("HSCAN", "processed"));
        pipe.add_command(scan("HSCAN", "failed"));
        pipe.zrange(self.relation("unsuccessful"), 0, most as isize - 1);
        type Scanned = (String, Vec<String>);
        let (pending, completed, ignored, failed): (Scanned, Scanned, Scanned, Vec<String>) =
            self.link.client().pipe(&pipe).await?;
        let pending = pending.1.into_iter().take(most);
        let completed = completed.1.into_iter().step_by(2).take(most);
        let ignored = ignored.1.into_iter().step_by(2).take(most);
        let prefix = format!("{}:", self.link.client().prefix());
        Ok(completed
            .chain(pending)
            .chain(ignored)
            .chain(failed)
            .filter_map(|key| {
                let (queue, id) = key.strip_prefix(&prefix)?.split_once(':')?;
                Some((queue.to_owned(), id.to_owned()))
            })
            .collect())
    }

    fn relation(&self, part: &str) -> String {
        self.link.key(&format!("{}:{part}", self.id))
    }

    /// Everything in a hash, in steps.
    async fn collect<V: FromRedisValue>(
        &self,
        command: &str,
        part: &str,
    ) -> Result<HashMap<String, V>, Error> {
        let (mut all, mut cursor) = (HashMap::new(), "0".to_owned());
        loop {
            let mut pipe = redis::pipe();
            pipe.cmd(command).arg(self.relation(part)).arg(&cursor).arg("COUNT").arg(AT_ONCE);
            let ((next, some),): ((String, HashMap<String, V>),) = self.link.client().pipe(&pipe).await?;
            all.extend(some);
            if next == "0" {
                return Ok(all);
            }
            cursor = next;
        }
    }
}
