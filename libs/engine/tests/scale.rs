//! What the autoscaler must never do, whatever it sees.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::{ManualScale, ReplicaBounds, ScaleSpec, ScalingState, Timestamp};
use ops_engine::scale::{
    Autoscaler, Fleet, QueueInput, QueueLook, Recording, ReplicaUse, ScaleInput, ScaleMemory, ScaleOutcome,
    scale,
};
use ops_engine::simulate::{Config, Random, Setting, Trace, run, synthetic};

const QUEUE: &str = "valkey.main/email";

fn spec(queues: &[&str]) -> ScaleSpec {
    ScaleSpec {
        queues: queues.iter().map(|it| (*it).to_owned()).collect(),
        target_wait: Duration::from_secs(5),
        concurrency: queues.iter().map(|it| ((*it).to_owned(), 10)).collect(),
        max_waiting: None,
        cpu: None,
        connections: None,
        drain: Duration::from_secs(900),
        start_delay: Duration::from_secs(2),
    }
}

fn input(look: QueueLook, desired: u16, at_s: f64) -> ScaleInput {
    ScaleInput {
        now: Timestamp((at_s * 1e6) as i64),
        bounds: ReplicaBounds { min: 1, max: 8 },
        spec: spec(&[QUEUE]),
        desired,
        fleet: Fleet { ready: desired, ..Fleet::default() },
        usage: Vec::new(),
        queues: BTreeMap::from([(QUEUE.to_owned(), QueueInput { look, age_s: 0.1, fault: None })]),
        start_delays_s: Vec::new(),
        frozen: None,
        manual: None,
    }
}

/// A service whose replicas come and go at once, under a constant load.
struct World {
    memory: ScaleMemory,
    at_s: f64,
    arrived: f64,
    waiting: f64,
    active: f64,
    desired: u16,
}

impl World {
    fn new(desired: u16) -> Self {
        Self {
            memory: ScaleMemory::default(),
            at_s: 1_000.0,
            arrived: 0.0,
            waiting: 0.0,
            active: 0.0,
            desired,
        }
    }

    fn look(&self) -> QueueLook {
        QueueLook {
            at_s: self.at_s,
            waiting: self.waiting,
            active: self.active,
            arrived: self.arrived,
            started: self.arrived - self.waiting,
            finished: self.arrived - self.waiting - self.active,
            run_s: Some(1.0),
            ..QueueLook::default()
        }
    }

    fn input(&self) -> ScaleInput {
        input(self.look(), self.desired, self.at_s)
    }

    fn decide(&mut self) -> ScaleOutcome {
        let outcome = scale(&self.input(), &mut self.memory);
        self.desired = outcome.desired;
        outcome
    }

    /// Two seconds with `per_s` arrivals of one second each.
    fn go_on(&mut self, per_s: f64) -> ScaleOutcome {
        self.at_s += 2.0;
        self.arrived += 2.0 * per_s;
        let slots = 10.0 * f64::from(self.desired);
        let work = self.waiting + 2.0 * per_s;
        let served = work.min(2.0 * slots);
        self.waiting = work - served;
        self.active = (served / 2.0).min(slots);
        self.decide()
    }
}

#[test]
fn a_burst_is_met_at_once_and_given_back_step_by_step() {
    let mut world = World::new(1);
    for _ in 0..30 {
        world.go_on(2.0);
    }
    assert_eq!(world.desired, 1);
    world.arrived += 2_000.0;
    world.waiting += 2_000.0;
    let outcome = world.go_on(2.0);
    assert_eq!(outcome.desired, 8, "{outcome:?}");
    assert!(outcome.reason.starts_with("email: "), "{}", outcome.reason);
    let mut path = vec![8];
    for _ in 0..400 {
        world.go_on(2.0);
        if path.last() != Some(&world.desired) {
            path.push(world.desired);
        }
    }
    assert!(path.len() > 2 && path.is_sorted_by(|one, next| one > next), "not step by step: {path:?}");
    assert_eq!(path.last(), Some(&1));
}

#[test]
fn the_first_jobs_after_a_start_are_no_flood() {
    let mut memory = ScaleMemory::default();
    for (turn, waiting) in [2.0, 1.0, 0.0, 0.0].into_iter().enumerate() {
        let look = QueueLook { at_s: 5.0 + 2.0 * turn as f64, waiting, arrived: 2.0, ..QueueLook::default() };
        let mut input = input(look, 1, 5.0 + 2.0 * turn as f64);
        input.spec.concurrency.insert(QUEUE.to_owned(), 1);
        assert_eq!(scale(&input, &mut memory).desired, 1);
    }
}

#[test]
fn what_was_just_asked_for_is_not_given_back_in_the_next_moment() {
    let mut world = World::new(1);
    for _ in 0..60 {
        world.go_on(2.0);
    }
    world.arrived += 500.0;
    world.waiting += 500.0;
    let up = world.go_on(2.0).desired;
    assert!(up > 1);
    let mut last = up;
    for turn in 1..14 {
        last = world.go_on(2.0).desired.max(last);
        assert!(world.desired >= up, "given back after {} s", 2 * turn);
    }
    assert!(last <= 8);
}

#[test]
fn more_backlog_never_asks_for_fewer() {
    let mut random = Random::new(7);
    for _ in 0..300 {
        let mut world = World::new(1 + (random.bits() % 8) as u16);
        let per_s = 40.0 * random.unit();
        for _ in 0..60 {
            world.go_on(per_s);
        }
        world.at_s += 2.0;
        let mut last = 0;
        for backlog in [0.0, 10.0, 50.0, 200.0, 1_000.0, 10_000.0] {
            let mut look = world.look();
            look.waiting += backlog;
            look.arrived += backlog;
            let wanted = scale(&input(look, world.desired, world.at_s), &mut world.memory.clone()).desired;
            assert!(wanted >= last, "{backlog} more jobs: {wanted} after {last}");
            last = wanted;
        }
    }
}

#[test]
fn bounds_are_kept_whatever_is_seen() {
    let mut random = Random::new(11);
    let mut memory = ScaleMemory::default();
    let wild = |random: &mut Random| match random.bits() % 5 {
        0 => 0.0,
        1 => 1e18,
        2 => f64::MAX,
        _ => 1e6 * random.unit(),
    };
    for _ in 0..3_000 {
        let look = QueueLook {
            at_s: wild(&mut random),
            waiting: wild(&mut random),
            active: wild(&mut random),
            oldest_s: wild(&mut random),
            arrived: wild(&mut random),
            started: wild(&mut random),
            finished: wild(&mut random),
            due: vec![(wild(&mut random), wild(&mut random))],
            run_s: Some(wild(&mut random)),
            limit_per_s: Some(wild(&mut random)),
            most_active: None,
            paused: random.bits().is_multiple_of(7),
        };
        let mut input = input(look, (random.bits() % 12) as u16, wild(&mut random));
        input.start_delays_s = vec![wild(&mut random), f64::NAN];
        let outcome = scale(&input, &mut memory);
        assert!((1..=8).contains(&outcome.desired), "{outcome:?}");
        assert!(outcome.inputs.values().all(|it| it.is_finite()), "{outcome:?}");
    }
}

#[test]
fn a_constant_load_settles() {
    for per_s in [3.0, 9.0, 14.0, 27.0, 55.0] {
        let mut world = World::new(1);
        for _ in 0..300 {
            world.go_on(per_s);
        }
        let settled = world.desired;
        for _ in 0..1_000 {
            world.go_on(per_s);
            assert_eq!(world.desired, settled, "{per_s} jobs a second: it still moves");
        }
    }
}

#[test]
fn nothing_is_decided_on_what_is_not_known() {
    let mut world = World::new(4);
    for _ in 0..60 {
        world.go_on(1.0);
    }
    let mut world = World { desired: 6, ..world };
    world.at_s += 2.0;
    let check = |change: &dyn Fn(&mut QueueInput), words: &str| {
        let mut input = world.input();
        change(input.queues.get_mut(QUEUE).unwrap());
        let mut memory = world.memory.clone();
        for _ in 0..500 {
            let outcome = scale(&input, &mut memory);
            assert_eq!((outcome.desired, outcome.state), (6, ScalingState::Unknown), "{outcome:?}");
            assert!(outcome.reason.contains(words), "{}", outcome.reason);
        }
        assert_eq!(memory, world.memory, "what is not known teaches nothing");
    };
    check(&|queue| queue.age_s = 31.0, "last seen 31 s ago");
    check(&|queue| queue.fault = Some("connection refused".to_owned()), "connection refused");
    let mut input = world.input();
    input.queues.clear();
    assert_eq!(scale(&input, &mut world.memory.clone()).state, ScalingState::Unknown);
}

#[test]
fn one_unknown_queue_holds_down_but_not_up() {
    let other = "valkey.main/other";
    let two = |world: &World, age_s: f64| {
        let mut input = world.input();
        input.spec = spec(&[QUEUE, other]);
        input.queues.insert(other.to_owned(), QueueInput { look: QueueLook::default(), age_s, fault: None });
        input
    };
    let mut world = World::new(6);
    for _ in 0..300 {
        world.at_s += 2.0;
        let outcome = scale(&two(&world, 60.0), &mut world.memory);
        assert_eq!(outcome.desired, 6, "{outcome:?}");
    }
    world.arrived += 50_000.0;
    world.waiting += 50_000.0;
    world.at_s += 2.0;
    assert_eq!(scale(&two(&world, 60.0), &mut world.memory).desired, 8);
}

#[test]
fn a_clock_that_is_set_moves_nothing() {
    for jump_s in [3_600.0, -3_600.0] {
        let mut world = World::new(1);
        for _ in 0..200 {
            world.go_on(25.0);
        }
        let before = world.desired;
        world.at_s += jump_s;
        for _ in 0..5 {
            world.go_on(25.0);
            assert_eq!(world.desired, before, "after a jump of {jump_s} s");
        }
    }
}

#[test]
fn a_deploy_a_pause_and_an_operator_hold_what_they_should() {
    let mut world = World::new(5);
    for turn in 0..200 {
        world.at_s += 2.0;
        let mut input = world.input();
        input.frozen = Some("replicas are being exchanged".to_owned());
        let outcome = scale(&input, &mut world.memory);
        assert_eq!(outcome.desired, 5, "turn {turn}: {outcome:?}");
    }
    world.at_s += 2.0;
    let mut input = world.input();
    let manual = ManualScale { replicas: 7, until: None, by: "ana".to_owned(), reason: "launch".to_owned() };
    input.manual = Some(manual);
    let outcome = scale(&input, &mut world.memory);
    assert_eq!((outcome.desired, outcome.state), (7, ScalingState::Manual));
    assert!(outcome.reason.contains("ana") && outcome.reason.contains("launch"), "{}", outcome.reason);

    let mut world = World::new(5);
    for _ in 0..200 {
        world.at_s += 2.0;
        let mut input = world.input();
        let look = &mut input.queues.get_mut(QUEUE).unwrap().look;
        (look.paused, look.waiting) = (true, 9_999.0);
        let outcome = scale(&input, &mut world.memory);
        assert_eq!(outcome.desired, 5, "a paused queue asks for nothing and lets nothing go: {outcome:?}");
    }
}

#[test]
fn a_sleeping_service_wakes_with_the_first_job() {
    let mut memory = ScaleMemory::default();
    let mut sleeping = |waiting: f64, arrived: f64, at_s: f64| {
        let look = QueueLook { at_s, waiting, arrived, ..QueueLook::default() };
        let mut input = input(look, 0, at_s);
        input.bounds.min = 0;
        scale(&input, &mut memory).desired
    };
    for turn in 0..100 {
        assert_eq!(sleeping(0.0, 0.0, 10.0 + 2.0 * f64::from(turn)), 0);
    }
    assert_eq!(sleeping(1.0, 1.0, 210.05), 1);
}

#[test]
fn a_limit_caps_what_would_not_help() {
    let mut world = World::new(1);
    for _ in 0..30 {
        world.go_on(5.0);
    }
    world.at_s += 2.0;
    world.arrived += 10_000.0;
    world.waiting += 10_000.0;
    let mut input = world.input();
    input.queues.get_mut(QUEUE).unwrap().look.limit_per_s = Some(10.0);
    let outcome = scale(&input, &mut world.memory);
    assert!((1..=2).contains(&outcome.desired), "10 a second of 1 s each are 10 slots: {outcome:?}");
}

#[test]
fn more_than_max_waiting_adds_one_replica_after_the_other() {
    let mut memory = ScaleMemory::default();
    let mut decide = |turn: u32, starting: usize| {
        let at_s = 5.0 + 2.0 * f64::from(turn);
        // They all came long ago and take no time: the wait asks for nothing.
        let look = QueueLook { at_s, waiting: 150.0, run_s: Some(0.01), ..QueueLook::default() };
        let mut input = input(look, 2, at_s);
        input.spec.max_waiting = Some(100);
        input.fleet = Fleet { ready: 2 - starting as u16, starting_s: vec![0.5; starting], lost: 0 };
        scale(&input, &mut memory)
    };
    let outcome = decide(0, 0);
    assert_eq!(outcome.desired, 3, "{outcome:?}");
    assert!(outcome.held[0].contains("more than the 100"), "{outcome:?}");
    assert_eq!(decide(1, 1).desired, 2, "one is on its way");
}

#[test]
fn processors_and_connections_have_their_say() {
    let usage = |cores: &[Option<f64>], connections: Option<u64>| -> ScaleInput {
        let mut it = input(QueueLook::default(), cores.len() as u16, 5.0);
        it.spec = ScaleSpec { cpu: Some(0.7), connections: connections.map(|_| 10_000), ..spec(&[]) };
        it.queues.clear();
        it.bounds = ReplicaBounds { min: 2, max: 4 };
        it.usage = cores.iter().map(|it| it.map(|cpu_cores| ReplicaUse { cpu_cores, connections })).collect();
        it
    };
    let decide = |input: &ScaleInput| {
        let (mut input, mut memory) = (input.clone(), ScaleMemory::default());
        let first = scale(&input, &mut memory).desired;
        assert_eq!(first, input.desired, "nothing is decided on one look at the processors");
        for _ in 0..15 {
            input.now = input.now + Duration::from_secs(2);
            input.desired = scale(&input, &mut memory).desired;
        }
        input.now = input.now + Duration::from_secs(2);
        scale(&input, &mut memory)
    };
    assert_eq!(decide(&usage(&[Some(0.95), Some(0.9)], None)).desired, 3);
    assert_eq!(decide(&usage(&[Some(0.72), Some(0.72)], None)).desired, 2, "within the tolerance");
    assert_eq!(
        decide(&usage(&[Some(0.2), None, Some(0.2)], None)).desired,
        3,
        "who tells nothing may be busy"
    );
    let sockets = usage(&[Some(0.1), Some(0.1)], Some(14_500));
    assert_eq!(scale(&sockets, &mut ScaleMemory::default()).desired, 3, "29,000 sockets");
    let unknown = decide(&usage(&[None, None, None], None));
    assert_eq!((unknown.desired, unknown.state), (3, ScalingState::Unknown));
}

#[test]
fn a_recorded_day_comes_to_the_same_again() {
    let mut world = World::new(1);
    let mut random = Random::new(3);
    let mut recording = Recording::default();
    let mut level = 10.0;
    for turn in 0..43_200_u32 {
        if turn.is_multiple_of(150) {
            level = 60.0 * random.unit();
        }
        world.at_s += 2.0;
        let came = (2.0 * level * random.gap()).floor();
        world.arrived += came;
        let slots = 10.0 * f64::from(world.desired);
        let served = (world.waiting + came).min(2.0 * slots);
        world.waiting = world.waiting + came - served;
        world.active = (served / 2.0).min(slots);
        let input = world.input();
        let outcome = world.decide();
        recording.decisions.push((input, outcome));
    }
    let written = serde_json::to_string(&recording).unwrap();
    let read: Recording = serde_json::from_str(&written).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), written);
    assert_eq!(read.replay().map_err(|it| format!("{it:?}")), Ok(world.memory));

    // It would be noticed.
    let mut other = read;
    other.decisions[20_000].1.desired += 1;
    assert_eq!(other.replay().unwrap_err().index, 20_000);
}

#[test]
fn ten_thousand_scale_downs_kill_no_job() {
    // Long jobs, a load that swings: what a killer of replicas would lose.
    let setting = Setting {
        target_wait_s: 60.0,
        concurrency: 2,
        bounds: (1, 60),
        mean_run_s: 180.0,
        mean_start_s: 15.0,
        limit_per_s: None,
    };
    let (mut downs, mut killed, mut unfinished) = (0, 0, 0);
    let mut seed = 0;
    while downs < 10_000 {
        seed += 1;
        let mut random = Random::new(seed);
        let mut jobs = Vec::new();
        let length_s = 4.0 * 86_400.0;
        let mut at_s = 0.0;
        while at_s < length_s {
            let busy = ((at_s / 1_800.0) as u64).is_multiple_of(2);
            at_s += random.gap() / if busy { 0.4 } else { 0.02 };
            jobs.push(ops_engine::simulate::Job::at(at_s, 90.0 + 180.0 * random.unit()));
        }
        let trace = Trace::new("swings", jobs, length_s);
        let outcome = run(&trace, &Config::new(setting.clone(), seed), &mut Autoscaler::new(&setting));
        downs += outcome.scaled_down;
        killed += outcome.killed;
        unfinished += outcome.unfinished;
    }
    assert_eq!((killed, unfinished), (0, 0), "in {downs} scale-downs");
}

#[test]
fn the_known_future_is_read() {
    let scenario = synthetic::scenario("batch", &ops_engine::simulate::Wishes::default(), 5).unwrap();
    let mut policy = Autoscaler::new(&scenario.setting);
    let outcome = run(&scenario.trace, &scenario.config(5), &mut policy);
    assert!(outcome.late_share <= 0.001, "{} late", outcome.late);
}
