use std::collections::BTreeMap;
use std::sync::Arc;

use ops_tasks::Task;
use tokio::time::Instant;

use crate::agent::Agent;
use crate::fleet::Running;
use crate::{procfs, sockets};

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

impl Heartbeat {
    fn scales_by_connections(&self, running: &Running) -> bool {
        let spec = self.agent.spec(&running.replica.service);
        spec.and_then(|spec| spec.scale).is_some_and(|scale| scale.connections.is_some())
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
        let counts = running.iter().any(|running| self.scales_by_connections(running));
        let connections = if counts { sockets::connections().await } else { None };
        for running in &running {
            let family = procfs::family(&all, running.record.shim_pid);
            let mut usage = procfs::usage(&family, &self.ticks, elapsed_s);
            if let (Some(connections), true) = (&connections, self.scales_by_connections(running)) {
                let of_port = |port| connections.get(&port).copied().unwrap_or(0);
                usage.connections = running.record.port.map(of_port);
            }
            ticks.extend(procfs::ticks(&family));
            self.agent.fleet.set_usage(&running.replica, running.record.generation, usage);
        }
        self.ticks = ticks;
        self.agent.oom.has_risen();
        self.agent.tell_everything();
        Ok(running.len())
    }
}
