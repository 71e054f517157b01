use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ops_contract::{ActionCause, ActionKind, Relabel, RelabelAction, ScrapeSpec, ScrapeTarget};
use rustix::process::Signal;

use crate::server::Memory;
use crate::world::{World, send};

/// What a target answers.
#[derive(Clone)]
enum Answer {
    Text(String),
    Gzip(String),
    Status(StatusCode),
    Never,
    TooLong,
}

type Target = Arc<Mutex<Answer>>;

/// A target on a free port; returns its address.
async fn target(first: &str) -> (Target, String) {
    let answer = Arc::new(Mutex::new(Answer::Text(first.to_owned())));
    let router = axum::Router::new().route("/metrics", get(metrics)).with_state(Arc::clone(&answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (answer, address)
}

async fn metrics(State(answer): State<Target>, headers: HeaderMap) -> Response {
    let answer = answer.lock().unwrap().clone();
    let plain = [("content-type", "text/plain; version=0.0.4")];
    match answer {
        Answer::Text(text) => (plain, text).into_response(),
        Answer::Gzip(text) => {
            assert_eq!(headers["accept-encoding"], "gzip");
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(text.as_bytes()).unwrap();
            ([("content-encoding", "gzip")], packed.finish().unwrap()).into_response()
        }
        Answer::Status(status) => (status, [("location", "/elsewhere")]).into_response(),
        Answer::Never => std::future::pending().await,
        Answer::TooLong => (plain, vec![b'\n'; (64 << 20) + 1]).into_response(),
    }
}

fn job(address: &str) -> ScrapeSpec {
    ScrapeSpec {
        job: "t".to_owned(),
        targets: vec![ScrapeTarget {
            address: address.to_owned(),
            labels: [("env".to_owned(), "x".to_owned())].into(),
        }],
        scheme: "http".to_owned(),
        path: "/metrics".to_owned(),
        params: Vec::new(),
        interval: Duration::from_millis(100),
        timeout: Duration::from_secs(5),
        honor_labels: false,
        honor_timestamps: true,
        sample_limit: 0,
        relabel: vec![Relabel {
            target_label: "instance".to_owned(),
            replacement: "one".to_owned(),
            ..Relabel::default()
        }],
        metric_relabel: vec![Relabel {
            action: RelabelAction::Drop,
            source_labels: vec!["__name__".to_owned()],
            regex: "go_.*".to_owned(),
            ..Relabel::default()
        }],
    }
}

const UP: &str = r#"up{env="x", instance="one", job="t"}"#;

async fn until_last(world: &World, series: &str, value: Option<f64>) {
    let what = format!("{series} to be {value:?}");
    world.until(&what, |memory| (memory.samples.last(series) == Some(value)).then_some(())).await;
}

async fn with_job(address: &str, change: impl Fn(&mut ScrapeSpec)) -> World {
    let mut spec = job(address);
    change(&mut spec);
    World::with_stack(|_, stack| stack.scrape = vec![spec]).await
}

/// Gives the agent the stack as it is now in the server's memory.
fn hand_out_again(memory: &mut Memory) {
    memory.session = "another".to_owned();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_told_as_prometheus_would() {
    let (answer, address) =
        target("# HELP a x\na{job=\"own\"} 1\nb 2\ngo_x 3\nb 9\nold 5 1700000000000\n").await;
    let world = with_job(&address, |_| {}).await;
    let a = r#"a{env="x", exported_job="own", instance="one", job="t"}"#;
    let b = r#"b{env="x", instance="one", job="t"}"#;
    let old = r#"old{env="x", instance="one", job="t"}"#;
    until_last(&world, UP, Some(1.0)).await;
    until_last(&world, a, Some(1.0)).await;
    until_last(&world, b, Some(2.0)).await;
    let report = |name: &str| format!(r#"scrape_{name}{{env="x", instance="one", job="t"}}"#);
    until_last(&world, &report("samples_scraped"), Some(5.0)).await;
    until_last(&world, &report("samples_post_metric_relabeling"), Some(3.0)).await;
    until_last(&world, &report("series_added"), Some(0.0)).await;
    {
        let memory = world.server.memory.lock().unwrap();
        assert_eq!(memory.samples.values(&report("series_added")).first(), Some(&Some(3.0)));
        assert_eq!(memory.samples.helps.get("a").map(String::as_str), Some("x"));
        assert!(!memory.samples.names().any(|name| name.starts_with("go_x")));
        assert!(memory.samples.times(old).iter().all(|at| *at == 1_700_000_000_000));
    }

    // One series vanishes: it has ended, the others go on. The one with times of its own is left alone.
    *answer.lock().unwrap() = Answer::Gzip("a{job=\"own\"} 4\n".to_owned());
    until_last(&world, b, None).await;
    until_last(&world, a, Some(4.0)).await;
    assert!(!world.server.memory.lock().unwrap().samples.values(old).contains(&None));

    for bad in [
        Answer::Status(StatusCode::INTERNAL_SERVER_ERROR),
        Answer::Text("a 1\nb x\n".to_owned()),
        Answer::TooLong,
    ] {
        *answer.lock().unwrap() = bad;
        until_last(&world, UP, Some(0.0)).await;
        until_last(&world, a, None).await;
        *answer.lock().unwrap() = Answer::Text("a{job=\"own\"} 4\n".to_owned());
        until_last(&world, UP, Some(1.0)).await;
        until_last(&world, a, Some(4.0)).await;
    }
    // Nothing of an answer with a bad line was taken.
    assert!(!world.server.memory.lock().unwrap().samples.values(b).contains(&Some(1.0)));

    // A redirect is no answer, and nobody follows it.
    *answer.lock().unwrap() = Answer::Status(StatusCode::FOUND);
    until_last(&world, UP, Some(0.0)).await;

    // The target goes away on purpose.
    {
        let mut memory = world.server.memory.lock().unwrap();
        memory.stack.as_mut().unwrap().scrape.clear();
        hand_out_again(&mut memory);
    }
    until_last(&world, UP, None).await;
    until_last(&world, a, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_target_and_one_with_too_much_are_not_up() {
    let (answer, address) = target("a 1\nb 2\n").await;
    let world = with_job(&address, |spec| {
        spec.timeout = Duration::from_millis(300);
        spec.sample_limit = 2;
        spec.honor_labels = true;
    })
    .await;
    until_last(&world, UP, Some(1.0)).await;
    *answer.lock().unwrap() = Answer::Never;
    until_last(&world, UP, Some(0.0)).await;
    *answer.lock().unwrap() = Answer::Text("a{env=\"own\",job=\"\"} 1\n".to_owned());
    until_last(&world, r#"a{env="own", instance="one"}"#, Some(1.0)).await;
    *answer.lock().unwrap() = Answer::Text("a 1\nb 2\nc 3\n".to_owned());
    until_last(&world, UP, Some(0.0)).await;
}

/// Another stack leaves a target alone that is the same in it; another server is told everything.
#[tokio::test(flavor = "multi_thread")]
async fn series_have_no_gap_when_the_stack_changes_or_the_server_is_new() {
    let (_answer, address) = target("a 1\n").await;
    let world = with_job(&address, |_| {}).await;
    until_last(&world, UP, Some(1.0)).await;
    let count = |memory: &Memory| memory.samples.values(UP).len();
    let (hellos, before) = {
        let mut memory = world.server.memory.lock().unwrap();
        memory.stack.as_mut().unwrap().name = "other".to_owned();
        hand_out_again(&mut memory);
        memory.samples.sessions.clear();
        (memory.hellos, count(&memory))
    };
    world
        .until("more samples", |memory| (memory.hellos > hellos && count(memory) > before + 3).then_some(()))
        .await;
    let memory = world.server.memory.lock().unwrap();
    assert!(memory.samples.values(UP).iter().all(|it| *it == Some(1.0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_wait_for_a_server_that_is_away() {
    let (answer, address) = target("a 1\n").await;
    let world = with_job(&address, |_| {}).await;
    let a = r#"a{env="x", instance="one", job="t"}"#;
    until_last(&world, a, Some(1.0)).await;
    world.server.memory.lock().unwrap().broken = Some(StatusCode::SERVICE_UNAVAILABLE);
    *answer.lock().unwrap() = Answer::Text("a 2\n".to_owned());
    let said = world.eventually(|| world.agent_log().contains("they are kept").then_some(())).await;
    assert!(said.is_some(), "{}", world.agent_log());
    *answer.lock().unwrap() = Answer::Text("a 3\n".to_owned());
    world.server.memory.lock().unwrap().broken = None;
    until_last(&world, a, Some(3.0)).await;
    let times = world.server.memory.lock().unwrap().samples.times(a);
    assert!(times.is_sorted(), "{times:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_found_and_its_end_is_told_at_once() {
    let world = World::with(|programs, spec| {
        spec.program.command = vec![programs.program.clone(), "metrics".to_owned()];
        spec.metrics = Some("/metrics".to_owned());
    })
    .await;
    let up = r#"up{instance="app/0", job="insightdesk-app", replica="0", service="app"}"#;
    let requests = r#"app_requests_total{exported_service="own", instance="app/0", job="insightdesk-app", replica="0", service="app"}"#;
    let pid = world.start_ready().await.pid.unwrap();
    until_last(&world, up, Some(1.0)).await;
    until_last(&world, requests, Some(7.0)).await;
    // Its interval is 15 s: without the exit nothing would be told so soon.
    send(pid, Signal::KILL);
    until_last(&world, up, Some(0.0)).await;
    until_last(&world, requests, None).await;
    world.must(ActionKind::Start, 2).await;
    until_last(&world, up, Some(1.0)).await;
    let values = world.server.memory.lock().unwrap().samples.values(up);
    assert!(!values.contains(&None), "{values:?}");
    let id = world.ask(ActionKind::Stop, 2, ActionCause::Operator);
    world.result(&id).await;
    until_last(&world, up, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_without_metrics_is_up_and_the_machine_is_measured() {
    let world = World::with(|_, spec| spec.metrics = Some("/metrics".to_owned())).await;
    world.start_ready().await;
    until_last(
        &world,
        r#"up{instance="app/0", job="insightdesk-app", replica="0", service="app"}"#,
        Some(1.0),
    )
    .await;
    for name in [
        "node_memory_MemAvailable_bytes{",
        "node_cpu_seconds_total{",
        "node_load1{",
        "node_boot_time_seconds{",
    ] {
        let found = |memory: &Memory| memory.samples.names().any(|it| it.starts_with(name)).then_some(());
        world.until(name, found).await;
    }
}
