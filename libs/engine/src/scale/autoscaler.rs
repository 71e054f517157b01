use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::{ReplicaBounds, ScaleSpec, Timestamp};

use super::decide::{ScaleMemory, scale};
use super::input::{QueueInput, ScaleInput};
use super::{Fleet, QueueLook};
use crate::simulate::{Policy, Setting, View};

/// Seconds between two looks, as the probe has them.
const LOOK_S: f64 = 2.0;
/// Delayed jobs further ahead are not looked at.
const AHEAD_S: f64 = 600.0;
const QUEUE: &str = "valkey.main/queue";

/// Our own decisions as a policy of the simulator: the same code that runs live, fed with what the simulator shows.
#[derive(Clone, Debug)]
pub struct Autoscaler {
    input: ScaleInput,
    memory: ScaleMemory,
    /// When the replicas that still start were asked for, oldest first.
    asked_s: Vec<f64>,
}

impl Autoscaler {
    /// With nothing but what the stack file would say. The mean run time of the setting is not used: it is measured.
    pub fn new(setting: &Setting) -> Self {
        let seconds = |it: f64| Duration::from_secs_f64(it.max(0.001));
        let spec = ScaleSpec {
            queues: vec![QUEUE.to_owned()],
            target_wait: seconds(setting.target_wait_s),
            concurrency: BTreeMap::from([(QUEUE.to_owned(), setting.concurrency)]),
            max_waiting: None,
            cpu: None,
            connections: None,
            drain: Duration::from_secs(900),
            start_delay: seconds(setting.mean_start_s),
        };
        let small = |count: u32| u16::try_from(count).unwrap_or(u16::MAX);
        let look = QueueLook { limit_per_s: setting.limit_per_s, ..QueueLook::default() };
        let input = ScaleInput {
            now: Timestamp(0),
            bounds: ReplicaBounds { min: small(setting.bounds.0), max: small(setting.bounds.1) },
            spec,
            desired: 0,
            fleet: Fleet::default(),
            usage: Vec::new(),
            queues: BTreeMap::from([(QUEUE.to_owned(), QueueInput { look, age_s: 0.0, fault: None })]),
            start_delays_s: Vec::new(),
            frozen: None,
            manual: None,
        };
        Self { input, memory: ScaleMemory::default(), asked_s: Vec::new() }
    }

    fn see(&mut self, view: &View<'_>) {
        let small = |count: u32| u16::try_from(count).unwrap_or(u16::MAX);
        // The oldest became ready, or the newest were called off.
        let starting = view.starting as usize;
        let ready = view.start_delays.len().min(self.asked_s.len());
        self.asked_s.drain(..ready);
        self.asked_s.resize(starting, view.now_s);
        let input = &mut self.input;
        input.now = Timestamp((view.now_s * 1e6) as i64);
        input.desired = small(view.desired);
        input.fleet.ready = small(view.ready);
        input.fleet.starting_s = self.asked_s.iter().map(|at_s| view.now_s - at_s).collect();
        input.start_delays_s.clear();
        input.start_delays_s.extend_from_slice(view.start_delays);
        let Some(queue) = input.queues.get_mut(QUEUE) else { return };
        let look = &mut queue.look;
        look.at_s = view.now_s;
        look.waiting = view.waiting as f64;
        look.active = view.active as f64;
        look.oldest_s = view.oldest_wait_s;
        look.arrived = view.arrived as f64;
        look.started = view.started as f64;
        look.finished = view.finished as f64;
        look.run_s = (!view.run_times.is_empty())
            .then(|| view.run_times.iter().sum::<f64>() / view.run_times.len() as f64)
            .or(look.run_s);
        look.due.clear();
        for due_s in view.due.iter().map(|at_s| at_s - view.now_s).take_while(|in_s| *in_s <= AHEAD_S) {
            match look.due.last_mut() {
                Some((edge_s, jobs)) if due_s <= *edge_s => *jobs += 1.0,
                _ => look.due.push((due_s.ceil().max(0.0), 1.0)),
            }
        }
    }
}

impl Policy for Autoscaler {
    fn name(&self) -> &str {
        "insightdesk"
    }

    fn interval_s(&self) -> f64 {
        LOOK_S
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        self.see(view);
        let number = u32::from(scale(&self.input, &mut self.memory).desired);
        let coming = view.ready + view.starting;
        let more = number.saturating_sub(coming) as usize;
        self.asked_s.extend(std::iter::repeat_n(view.now_s, more));
        number
    }
}
