//! Holding workers back: pause, concurrency and rates that hold for all workers of a queue together.

use std::time::Duration;

use crate::{Error, Queue, options::millis};

impl Queue {
    /// Keeps every worker from taking jobs. Running ones go on; adding goes on.
    pub async fn pause(&self) -> Result<(), Error> {
        self.set_paused(true).await
    }

    /// Lets workers take jobs again.
    pub async fn resume(&self) -> Result<(), Error> {
        self.set_paused(false).await
    }

    /// Whether the queue is paused.
    pub async fn is_paused(&self) -> Result<bool, Error> {
        let mut pipe = redis::pipe();
        pipe.hexists(self.key("meta"), "paused");
        let (paused,): (bool,) = self.client().pipe(&pipe).await?;
        Ok(paused)
    }

    /// The most jobs that run at the same time over all workers, if there is such a limit.
    pub async fn concurrency(&self) -> Result<Option<u32>, Error> {
        let mut pipe = redis::pipe();
        pipe.hget(self.key("meta"), "concurrency");
        let (most,): (Option<String>,) = self.client().pipe(&pipe).await?;
        Ok(most.and_then(|most| most.parse().ok()))
    }

    /// Limits how many jobs run at the same time over all workers, or lifts the limit.
    pub async fn set_concurrency(&self, most: Option<u32>) -> Result<(), Error> {
        let mut pipe = redis::pipe();
        match most {
            Some(most) => pipe.hset(self.key("meta"), "concurrency", most.max(1)).ignore(),
            None => pipe.hdel(self.key("meta"), "concurrency").ignore(),
        };
        self.client().pipe::<()>(&pipe).await?;
        self.rouse().await
    }

    /// Limits how many jobs begin in each stretch of time over all workers, or lifts the limit.
    pub async fn set_rate(&self, limit: Option<(u32, Duration)>) -> Result<(), Error> {
        let mut pipe = redis::pipe();
        match limit {
            Some((jobs, per)) => {
                let fields = [("max", u64::from(jobs.max(1))), ("duration", millis(per).max(1))];
                pipe.hset_multiple(self.key("meta"), &fields).ignore()
            }
            None => pipe.hdel(self.key("meta"), &["max", "duration"]).ignore(),
        };
        self.client().pipe::<()>(&pipe).await?;
        self.rouse().await
    }

    /// Lets no rate-limited worker take a job for so long, as if the limit were reached.
    pub async fn hold(&self, duration: Duration) -> Result<(), Error> {
        /// More than any limit allows: what npm writes as well.
        const FULL: u64 = 9_007_199_254_740_991;
        let mut pipe = redis::pipe();
        pipe.cmd("SET").arg(self.key("limiter")).arg(FULL).arg("PX").arg(millis(duration).max(1)).ignore();
        self.client().pipe(&pipe).await
    }

    async fn set_paused(&self, paused: bool) -> Result<(), Error> {
        let mut call = self.script(&self.client().scripts().pause);
        call.arg(if paused { "1" } else { "" });
        while self.client().run::<bool>(&call).await? {}
        Ok(())
    }

    /// Wakes a sleeping worker if there is work it may take.
    pub(crate) async fn rouse(&self) -> Result<(), Error> {
        self.client().run::<i64>(&self.script(&self.client().scripts().rouse)).await.map(drop)
    }
}
