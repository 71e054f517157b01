//! The autoscaler on a real Valkey with npm bullmq producers and workers.

use std::time::Duration;

use ops_contract::{Page, QueuesView, ReplicaPhase, ScalingDecision, ScalingSignal, ScalingState, Tone};
use ops_tests::node::Node;
use ops_tests::system::kill_family;
use ops_tests::{System, eventually, free_port};
use rustix::process::Signal;
use serde_json::{Value, json};

/// A queue of the team's own kind: workers that take 20 jobs at once.
const STACK: &str = r#"
[stack]
name = "scaling"
environment = "test"

[server]
listen = "127.0.0.1:FREE_PORT_1"

[valkey.main]
development = true
port = QPORT
queues = { database = 0 }

[services.worker]
run = ["node", "TESTS/node/bull_scaled.mjs"]
role = "background"
replicas = { min = 1, max = MOST }
depends_on = ["valkey.main"]
env = { VALKEY_PORT = "QPORT", QUEUE = "burst", CONCURRENCY = "20" }
scale = { queues = ["burst"], concurrency = 20, start_delay = "2s" }
health = { path = "/health", interval = "200ms" }
"#;

/// The longest that giving back takes: a hold of at most ten start delays, and a step each half minute.
const GIVES_BACK: Duration = Duration::from_secs(200);

struct Scene {
    system: System,
    port: String,
}

impl Scene {
    async fn start(most: u16) -> Self {
        let port = free_port().unwrap().to_string();
        let system =
            System::start(&STACK.replace("QPORT", &port).replace("MOST", &most.to_string())).await.unwrap();
        system.serves().await.unwrap();
        Self { system, port }
    }

    async fn burst(&self, mode: &str, rest: &[&str]) -> Value {
        let mut arguments = vec![mode, self.port.as_str(), "burst"];
        arguments.extend(rest);
        let mut lines = Node::start("bull_burst.mjs", &arguments).unwrap().finish().await.unwrap();
        lines.remove(0)
    }

    async fn signal(&self) -> ScalingSignal {
        self.system.get("/api/scaling/worker").await.unwrap()
    }

    async fn becomes(
        &self,
        patience: Duration,
        what: &str,
        wanted: impl Fn(&ScalingSignal) -> bool,
    ) -> ScalingSignal {
        match eventually(patience, async || Some(self.signal().await).filter(|it| wanted(it))).await {
            Some(signal) => signal,
            None => panic!("{what} did not come: {:?}", self.signal().await),
        }
    }

    /// Ready replicas, once no other is there.
    async fn settles(&self, count: usize) {
        let settled = eventually(Duration::from_secs(60), async || {
            let service = self.system.service("worker").await.ok()?;
            let alive: Vec<_> = service.replicas.iter().filter(|it| it.state.phase.may_be_alive()).collect();
            let ready = alive.iter().filter(|it| it.state.phase == ReplicaPhase::Ready).count();
            (alive.len() == count && ready == count).then_some(())
        });
        assert!(settled.await.is_some(), "{:?}", self.system.service("worker").await);
    }

    async fn decisions(&self) -> Vec<ScalingDecision> {
        let page: Page<ScalingDecision> = self.system.get("/api/scaling/worker/decisions").await.unwrap();
        page.items
    }

    /// What we say of the queue is what npm says, at rest.
    async fn counts_are_npms(&self) {
        let npm = self.burst("look", &[]).await;
        let same = eventually(Duration::from_secs(10), async || {
            let view: QueuesView = self.system.get("/api/queues").await.ok()?;
            let queue = view.queues.into_iter().find(|it| it.name == "burst")?;
            let ours = json!({
                "wait": queue.sample.waiting, "active": queue.sample.active, "completed": queue.sample.completed,
                "failed": queue.sample.failed, "delayed": queue.sample.delayed,
                "prioritized": queue.sample.prioritized,
            });
            (ours == npm["counts"]).then_some(())
        });
        assert!(same.await.is_some(), "npm counts {}", npm["counts"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_gets_three_workers_and_gives_them_back_without_losing_a_job() {
    let scene = Scene::start(3).await;
    scene.becomes(Duration::from_secs(30), "a measured queue", |it| it.state == ScalingState::Measured).await;
    scene.counts_are_npms().await;
    scene.burst("add", &["10000", "50"]).await;
    let up = scene.becomes(Duration::from_secs(20), "three replicas", |it| it.desired == 3).await;
    assert!(up.reason.contains("burst"), "{}", up.reason);

    // From the first look that saw the burst to the decision, by what was recorded.
    let recorded: Value = scene.system.get("/api/scaling/worker/recordings").await.unwrap();
    let inputs =
        recorded["items"].as_array().unwrap().iter().flat_map(|it| it["decisions"].as_array().unwrap());
    let waiting =
        |it: &Value| it[0]["queues"]["valkey.main/burst"]["look"]["waiting"].as_f64().unwrap_or(0.0) > 0.0;
    let first = inputs.clone().find(|it| waiting(it)).unwrap();
    let three = inputs.clone().find(|it| it[1]["desired"] == 3).unwrap();
    let took_s = (three[0]["now"].as_f64().unwrap() - first[0]["now"].as_f64().unwrap()) / 1e6;
    assert!(took_s <= 2.0, "{took_s} s after the first look that saw the burst");

    scene.settles(3).await;
    scene.becomes(GIVES_BACK, "one replica", |it| it.desired == 1).await;
    scene.settles(1).await;
    let end = scene.burst("look", &[]).await;
    assert_eq!(end["counts"]["completed"], 10_000, "{end}");
    assert_eq!(
        (&end["ran"], &end["twice"], &end["stalled"]),
        (&json!(10_000), &json!(0), &json!(0)),
        "{end}"
    );
    scene.counts_are_npms().await;

    // One step at a time, each with its reason; and all of it comes out the same again.
    let changes: Vec<(u16, u16)> = scene
        .decisions()
        .await
        .iter()
        .rev()
        .filter(|it| it.from != it.to)
        .map(|it| (it.from, it.to))
        .collect();
    assert_eq!(changes.last(), Some(&(2, 1)), "{changes:?}");
    let replay = scene.system.cli(&["scale", "replay", "--recorded", "worker", "--json"]).unwrap();
    assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stderr));
    let explain = scene.system.cli(&["scale", "explain", "worker"]).unwrap();
    assert!(String::from_utf8_lossy(&explain.stdout).contains("burst"), "{explain:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_scale_downs_of_real_workers_kill_no_job() {
    let scene = Scene::start(8).await;
    let drip = {
        let port = scene.port.clone();
        // About 40 jobs at once for as long as the scenario takes.
        tokio::spawn(async move {
            let arguments = ["drip", port.as_str(), "burst", "100000", "2000", "50"];
            Node::start("bull_burst.mjs", &arguments).unwrap().finish().await
        })
    };
    let mut downs = 0;
    while downs < 100 {
        for replicas in [8, 1] {
            let wish = json!({"replicas": replicas, "for_s": 600, "reason": "a test"});
            scene.system.post("/api/services/worker/scale", wish).await.unwrap();
            scene.settles(usize::from(replicas == 8) * 7 + 1).await;
        }
        downs += 7;
    }
    drip.abort();
    // What still waits is run to the end by the one that is left.
    let rest = eventually(Duration::from_secs(120), async || {
        let look = scene.burst("look", &[]).await;
        (look["counts"]["wait"] == 0 && look["counts"]["active"] == 0).then_some(look)
    });
    let end = rest.await.expect("the queue is worked off");
    assert_eq!(
        (&end["twice"], &end["stalled"], &end["counts"]["failed"]),
        (&json!(0), &json!(0), &json!(0)),
        "{end}"
    );
    assert_eq!(end["ran"], end["counts"]["completed"], "{end}");

    let mut seen = 0;
    for slot in 0..8 {
        // The latest 20 of each slot.
        let path = format!("/api/services/worker/replicas/{slot}/exits");
        let exits: Page<Value> = scene.system.get(&path).await.unwrap();
        seen += exits.items.len();
        assert!(exits.items.iter().all(|it| it["code"] == 0), "none was killed: {:?}", exits.items);
    }
    assert!(seen >= 50, "only {seen} exits are kept of {downs}");
    scene.system.post("/api/services/worker/scale", json!({"auto": true})).await.unwrap();
    scene.becomes(Duration::from_secs(20), "its own decision", |it| it.state == ScalingState::Measured).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_valkey_that_stops_for_half_a_minute_scales_nothing_down() {
    let scene = Scene::start(3).await;
    scene.burst("add", &["20000", "50"]).await;
    scene.becomes(Duration::from_secs(20), "three replicas", |it| it.desired == 3).await;
    scene.settles(3).await;
    let valkey = scene.system.replica("valkey-main", 0).await.unwrap().state.pid.unwrap();
    kill_family(valkey, Signal::STOP);
    let unknown =
        scene.becomes(Duration::from_secs(15), "unknown", |it| it.state == ScalingState::Unknown).await;
    assert_eq!(unknown.desired, 3, "{unknown:?}");
    let view: QueuesView = scene.system.get("/api/queues").await.unwrap();
    let queue = view.queues.iter().find(|it| it.name == "burst").unwrap();
    assert!(queue.tone == Tone::Unknown && queue.age_s > 1.0, "{queue:?}");
    // Half a minute of it: nothing is decided on what is not known.
    let moved = eventually(Duration::from_secs(30), async || {
        let signal = scene.signal().await;
        (signal.desired != 3 || signal.state != ScalingState::Unknown).then_some(signal)
    });
    assert_eq!(moved.await, None);
    kill_family(valkey, Signal::CONT);
    scene.becomes(Duration::from_secs(30), "recovery", |it| it.state == ScalingState::Measured).await;
    let drained = eventually(Duration::from_secs(120), async || {
        let look = scene.burst("look", &[]).await;
        (look["counts"]["completed"] == 20_000).then_some(look)
    });
    assert!(drained.await.is_some());
}
