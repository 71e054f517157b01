use std::collections::{BTreeMap, VecDeque};

use ops_contract::ScalingState;
use serde::{Deserialize, Serialize};

use super::hold::{Asked, Held, Hold};
use super::input::{QueueInput, ScaleInput};
use super::need::QueueNeed;
use super::queue::{GAP_S, LOOK_S, QueueMemory, Terms};
use super::usage::{self, UsageMemory, UsageNeed};
use super::words;

/// Three looks: what is older is not acted on.
const STALE_S: f64 = 6.0;
/// Targets beyond this are no targets, in seconds.
const LONGEST_TARGET_S: f64 = 7_200.0;
/// A start that took longer than this is not believed, in seconds.
const LONGEST_START_S: f64 = 3_600.0;
/// Start delays that are remembered.
const DELAYS: usize = 20;
/// A need that is this little above a whole number is not worth another replica.
const SLACK: f64 = 0.05;

/// What is remembered of a service between decisions. Plain data, kept by the caller.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScaleMemory {
    queues: BTreeMap<String, QueueMemory>,
    hold: Hold,
    usage: UsageMemory,
    start_delays_s: VecDeque<f64>,
    /// When it was last decided, in seconds.
    last_s: Option<f64>,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleOutcome {
    /// How many replicas to ask for.
    pub desired: u16,
    /// What it rests on.
    pub state: ScalingState,
    /// Why, in one sentence.
    pub reason: String,
    /// What kept it from another number, in one sentence each.
    pub held: Vec<String>,
    /// The figures that it rests on.
    pub inputs: BTreeMap<String, f64>,
}

/// What all queues and figures ask for together, and whose word it is.
#[derive(Default)]
pub(super) struct Combined<'a> {
    pub(super) asked: Asked,
    /// The queue that asks for most, with what it asks for.
    pub(super) queue: Option<(&'a str, QueueNeed)>,
    pub(super) cpu: Option<UsageNeed>,
    pub(super) connections: Option<UsageNeed>,
    /// Replicas beyond which the limits of the queues do not let more be done.
    pub(super) cap: Option<u32>,
    pub(super) paused: Vec<&'a str>,
}

/// Decides. An input that is not newer than the last one changes nothing in the memory.
pub fn scale(input: &ScaleInput, memory: &mut ScaleMemory) -> ScaleOutcome {
    let (min, max) = (u32::from(input.bounds.min), u32::from(input.bounds.max));
    let desired = u32::from(input.desired);
    let mut held = Vec::new();
    let stale = stale(input);
    if input.spec.queues.len() + input.usage.len() > 0 && stale.len() == sources(input) {
        return words::unknown(input, stale);
    }
    held.extend(stale.iter().cloned());

    memory.delays(&input.start_delays_s);
    let (start_s, longest_s) = memory.start_delay(input.spec.start_delay.as_secs_f64().min(LONGEST_START_S));
    let now_s = input.now.as_seconds();
    let span_s = memory.last_s.map_or(LOOK_S, |last_s| now_s - last_s);
    // The service's clock does not jump with the machine's.
    let span_s = if (0.0..=GAP_S).contains(&span_s) { span_s } else { LOOK_S };
    memory.last_s = Some(now_s);
    memory.hold.advance(span_s);

    let mut combined = Combined::default();
    let mut reserve = 0.0;
    for (name, queue) in input.queues.iter().filter(|(_, queue)| is_fresh(queue)) {
        let terms = Terms {
            target_s: input.spec.target_wait.as_secs_f64().min(LONGEST_TARGET_S),
            concurrency: input.spec.concurrency.get(name).map(|it| f64::from(*it)),
            fleet: &input.fleet,
            start_delay_s: start_s,
            longest_start_s: longest_s,
        };
        let known = memory.queues.entry(name.clone()).or_default();
        // The same look again teaches nothing. One from before the last means that a clock was set.
        let need = if known.is_again(&queue.look) {
            known.last_need()
        } else {
            known.learn(&queue.look.sane(), terms)
        };
        reserve = f64::max(reserve, known.reserve_share());
        combined.add(name, need, input);
    }
    // Queues that no longer belong to the service are forgotten.
    memory.queues.retain(|name, _| input.queues.contains_key(name));
    combined.usage(input, &mut memory.usage, span_s);
    if let Some(most) = input.spec.max_waiting {
        let waiting: f64 = input.queues.values().map(|it| it.look.waiting).sum();
        if waiting > most as f64 && combined.paused.is_empty() {
            // One at a time: whether it helps is seen when it is there.
            let more = u32::from(input.fleet.starting_s.is_empty());
            combined.asked.urgent = combined.asked.urgent.max(desired + more);
            combined.asked.stay = combined.asked.stay.max(desired);
            held.push(format!("{waiting:.0} jobs wait, more than the {most} that max_waiting allows"));
        }
    }

    let starting = input.fleet.starting_s.len();
    let lost = u32::from(input.fleet.lost);
    let bounded = Asked {
        urgent: (combined.asked.urgent + lost * u32::from(combined.asked.urgent > 0)).clamp(min, max),
        floor: combined.asked.floor.clamp(min, max),
        stay: combined.asked.stay.clamp(min, max),
    };
    let wanted = combined.asked.urgent.max(combined.asked.floor);
    if wanted > max {
        held.push(format!(
            "{wanted} replicas would be needed; {max} are the most that the stack file allows"
        ));
    }
    let (mut number, mut why) =
        memory.hold.settle(bounded, desired.clamp(min, max), starting, start_s, reserve);
    if number < desired && (!stale.is_empty() || input.frozen.is_some() || !combined.paused.is_empty()) {
        held.push(words::frozen(&stale, input.frozen.as_deref(), &combined.paused));
        number = desired.min(max);
        why = Held::Not;
    }
    if let Some(sentence) = words::held(why, desired) {
        held.push(sentence);
    }
    let state = if let Some(manual) = &input.manual {
        held.push(format!("without {}'s number it would be {number}", manual.by));
        number = u32::from(manual.replicas).clamp(min, max);
        ScalingState::Manual
    } else {
        ScalingState::Measured
    };
    ScaleOutcome {
        desired: u16::try_from(number).unwrap_or(u16::MAX),
        state,
        reason: words::reason(input, &combined, number),
        held,
        inputs: words::figures(input, &combined, start_s),
    }
}

impl ScaleMemory {
    fn delays(&mut self, told_s: &[f64]) {
        self.start_delays_s.extend(told_s.iter().filter(|it| (0.0..=LONGEST_START_S).contains(*it)));
        while self.start_delays_s.len() > DELAYS {
            self.start_delays_s.pop_front();
        }
    }

    /// The start delay that nine in ten replicas keep, and the longest; what the stack file says until one is known.
    fn start_delay(&self, told_s: f64) -> (f64, f64) {
        let mut known: Vec<f64> = self.start_delays_s.iter().copied().collect();
        known.sort_by(f64::total_cmp);
        match (known.get(known.len().saturating_sub(1) * 9 / 10), known.last()) {
            (Some(most), Some(longest)) => (*most, *longest),
            _ => (told_s, told_s),
        }
    }
}

impl<'a> Combined<'a> {
    fn add(&mut self, name: &'a str, need: QueueNeed, input: &ScaleInput) {
        if need.paused {
            self.paused.push(name);
            return;
        }
        let have = input.fleet.coming();
        let cap = need.cap.unwrap_or(f64::INFINITY).max(1.0);
        let more = if need.more > SLACK { need.more.ceil() } else { 0.0 };
        let planned = (need.scheduled.replicas - 0.02).ceil();
        let urgent = (have + more).max(planned).min(cap);
        let floor = (need.floor - SLACK).ceil().min(cap);
        let stay = need.stay.ceil().max(planned).min(cap);
        let asked = Asked { urgent: whole(urgent), floor: whole(floor), stay: whole(stay) };
        let weight = |it: &Asked| it.urgent.max(it.floor).max(it.stay);
        if self.queue.is_none() || weight(&asked) > weight(&self.asked) {
            self.queue = Some((name, need.clone()));
        }
        self.cap = self.cap.max(need.cap.map(whole));
        self.asked = Asked {
            urgent: self.asked.urgent.max(asked.urgent),
            floor: self.asked.floor.max(asked.floor),
            stay: self.asked.stay.max(asked.stay),
        };
    }

    /// Adds what processors and connections ask for.
    fn usage(&mut self, input: &ScaleInput, memory: &mut UsageMemory, span_s: f64) {
        let desired = u32::from(input.desired);
        self.cpu = memory.cpu(&input.spec, &input.usage, desired, span_s);
        self.connections = usage::connections(&input.spec, &input.usage, desired);
        for need in [self.cpu, self.connections].into_iter().flatten() {
            self.asked.urgent = self.asked.urgent.max(whole((need.up - SLACK).ceil()));
            self.asked.floor = self.asked.floor.max(whole((need.up - SLACK).ceil()));
            self.asked.stay = self.asked.stay.max(whole((need.stay - SLACK).ceil()));
        }
    }
}

fn whole(count: f64) -> u32 {
    count.clamp(0.0, 1e6) as u32
}

fn is_fresh(queue: &QueueInput) -> bool {
    queue.fault.is_none() && queue.age_s <= STALE_S
}

/// How many things the decision could rest on.
fn sources(input: &ScaleInput) -> usize {
    let usage = usize::from(input.spec.cpu.is_some() || input.spec.connections.is_some());
    input.spec.queues.len() + usage
}

/// What cannot be told now, in one sentence each.
fn stale(input: &ScaleInput) -> Vec<String> {
    let mut stale: Vec<String> = input
        .spec
        .queues
        .iter()
        .filter_map(|name| match input.queues.get(name) {
            None => Some(format!("{name} has not been seen yet")),
            Some(queue) if is_fresh(queue) => None,
            Some(queue) => Some(words::stale(name, queue)),
        })
        .collect();
    let followed = input.spec.cpu.is_some() || input.spec.connections.is_some();
    if followed && input.usage.iter().all(Option::is_none) {
        stale.push("no replica has told what it uses".to_owned());
    }
    stale
}
