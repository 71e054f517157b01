use std::collections::BTreeMap;
use std::sync::Arc;

use ops_tasks::Task;
use tokio::time::Instant;

use crate::agent::Agent;
use crate::procfs;

/// Looks at what each replica uses, and tells everything that is known.
pub(crate) struct Heartbeat {
    agent: Arc<Agent>,
    last: Instant,
    ticks: BTreeMap<u32, u64>,
}

impl Heartbeat {
    pub(crate) fn new(agent: &Arc<Agent>) -> Self {
        Self { agent: Arc::clone(agent), last: Instant::now(), ticks: BTreeMap::new() }
    }
}

impl Task for Heartbeat {
    const NAME: &'static str = "heartbeat";
    type Report = usize;

    async fn run(&mut self) -> anyhow::Result<usize> {
        let elapsed_s = self.last.elapsed().as_secs_f64();
        self.last = Instant::now();
        let running = self.agent.fleet.all_running();
        let all = if running.is_empty() { Vec::new() } else { procfs::all() };
        let mut ticks = BTreeMap::new();
        for running in &running {
            let family = procfs::family(&all, running.record.shim_pid);
            let usage = procfs::usage(&family, &self.ticks, elapsed_s);
            ticks.extend(procfs::ticks(&family));
            self.agent.fleet.set_usage(&running.replica, running.record.generation, usage);
        }
        self.ticks = ticks;
        self.agent.oom.has_risen();
        self.agent.tell_everything();
        Ok(running.len())
    }
}
