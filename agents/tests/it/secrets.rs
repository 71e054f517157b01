//! Secrets are asked for at the server, for a purpose, and stay in memory.

use std::path::PathBuf;

use axum::http::StatusCode;
use ops_contract::{
    ActionCause, ActionKind, ActionStatus, DependencyStatus, ExitReason, ReplicaPhase, SecretPurpose,
    SecretsRequest, ServiceName, Stack, ValkeySpec,
};

use crate::dependencies::{Valkey, free_port};
use crate::world::{World, replica, walk};

const KEY: &str = "correct-horse-battery!staple";
const PREVIOUS: &str = "tr0ub4dor-and-three";
const STORE_PASSWORD: &str = "p@ss/word-of-a-store";
const PROBLEM: &str = "application/problem+json";

fn app(stack: &mut Stack) -> &mut ops_contract::ServiceSpec {
    stack.services.get_mut(&ServiceName::from("app")).unwrap()
}

/// The service needs the secret API_KEY.
async fn world_with_key() -> World {
    World::with_secrets(&[("API_KEY", KEY)], |_, stack| app(stack).secrets = vec!["API_KEY".to_owned()]).await
}

fn answer(world: &World, answer: Option<(StatusCode, &'static str, String)>) {
    world.server.memory.lock().unwrap().secrets_answer = answer;
}

/// How a start failed.
async fn failed(world: &World, generation: i64) -> String {
    let id = world.ask(ActionKind::Start, generation, ActionCause::Operator);
    let result = world.result(&id).await;
    assert_eq!(result.status, ActionStatus::Failed);
    result.error.unwrap()
}

/// Files of the agent, its log too, that hold `text`.
fn files_with(world: &World, text: &str) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    walk(world.folder.path()).into_iter().filter(holds).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_reach_the_program_and_never_its_log_nor_a_file() {
    let secrets = [("API_KEY", KEY), ("API_KEY_PREVIOUS", PREVIOUS), ("STORE", STORE_PASSWORD)];
    let world = World::with_secrets(&secrets, |programs, stack| {
        let spec = app(stack);
        spec.secrets = vec!["API_KEY".to_owned()];
        spec.env.insert("URL".to_owned(), "redis://:${secret.STORE}@localhost/${secret.API_KEY}".to_owned());
        // Told from the stack without a name in it: what it says comes from its environment.
        let script = "echo key is $API_KEY indeed; echo before it was $API_KEY_PREVIOUS; env; exec \"$0\"";
        let program = programs.program.clone();
        spec.program.command = vec!["sh".to_owned(), "-c".to_owned(), script.to_owned(), program];
    })
    .await;
    world.server.memory.lock().unwrap().along.insert("API_KEY".to_owned(), "API_KEY_PREVIOUS".to_owned());
    let pid = world.start_ready().await.pid.unwrap();

    let environment = String::from_utf8(std::fs::read(format!("/proc/{pid}/environ")).unwrap()).unwrap();
    let variables: Vec<&str> = environment.split('\0').collect();
    let url = format!("URL=redis://:{STORE_PASSWORD}@localhost/{KEY}");
    for variable in [format!("API_KEY={KEY}"), format!("API_KEY_PREVIOUS={PREVIOUS}"), url] {
        assert!(variables.contains(&&*variable), "{variable} is not in {variables:?}");
    }
    assert!(!variables.iter().any(|it| it.starts_with("STORE=")), "it is asked for as a part of URL only");

    let said = [
        "key is [redacted] indeed",
        "before it was [redacted]",
        "URL=redis://:[redacted]@localhost/[redacted]",
        "API_KEY_PREVIOUS=[redacted]",
    ];
    let whole = || said.iter().all(|line| world.log_text(1).contains(line)).then_some(());
    assert_eq!(world.eventually(whole).await, Some(()), "{}", world.log_text(1));
    world
        .until("the stack to be kept", |_| world.state_dir().join("stack.json").exists().then_some(()))
        .await;
    assert!(!files_with(&world, "API_KEY").is_empty(), "the search finds what is there");
    for value in [KEY, PREVIOUS, STORE_PASSWORD] {
        assert_eq!(files_with(&world, value), Vec::<PathBuf>::new(), "{value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_start_asks_once_for_all_that_it_needs_and_says_what_for() {
    let world = World::with_secrets(&[("B", KEY), ("A", PREVIOUS), ("C", STORE_PASSWORD)], |_, stack| {
        app(stack).secrets = vec!["B".to_owned(), "A".to_owned()];
        app(stack).env.insert("URL".to_owned(), "${secret.C} ${secret.A}".to_owned());
    })
    .await;
    world.start_ready().await;
    world.must(ActionKind::Restart, 2).await;
    let asked = |generation| SecretsRequest {
        names: ["A", "B", "C"].map(str::to_owned).to_vec(),
        purpose: SecretPurpose::Start { replica: replica(), generation },
    };
    assert_eq!(world.server.memory.lock().unwrap().secret_requests, [asked(1), asked(2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_secrets_asks_for_none() {
    let world = World::with(|_, spec| drop(spec.env.insert("GREETING".to_owned(), "hello".to_owned()))).await;
    world.start_ready().await;
    assert!(world.server.memory.lock().unwrap().secret_requests.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_started_without_its_secrets_and_the_next_action_works() {
    let world = world_with_key().await;
    answer(&world, Some((StatusCode::SERVICE_UNAVAILABLE, "text/plain", "full".to_owned())));
    let error = failed(&world, 1).await;
    let expected = "secret API_KEY: the server cannot record now that it is handed out: see the server's log";
    assert_eq!(error, expected);
    let exit = world.until("the exit", |memory| memory.exits.first().cloned()).await;
    assert_eq!(exit.reason, ExitReason::StartFailed);
    assert!(exit.meaning.contains("secret API_KEY"), "{}", exit.meaning);
    assert!(world.record(1).is_none(), "nothing was started");
    answer(&world, None);
    world.must(ActionKind::Start, 2).await;
    world.until_phase(ReplicaPhase::Ready).await;
    assert_eq!(world.server.memory.lock().unwrap().secret_requests.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_given_secrets_for_a_restart_runs_on() {
    let world = world_with_key().await;
    let pid = world.start_ready().await.pid.unwrap();
    answer(&world, Some((StatusCode::SERVICE_UNAVAILABLE, "text/plain", "full".to_owned())));
    let id = world.ask(ActionKind::Restart, 2, ActionCause::Operator);
    let result = world.result(&id).await;
    assert_eq!(result.status, ActionStatus::Failed);
    assert!(result.error.unwrap().contains("secret API_KEY"));
    assert!(world.server.memory.lock().unwrap().exits.is_empty(), "nothing has ended");
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    assert!(!state.contains(") Z"), "it runs on: {state}");
    answer(&world, None);
    world.must(ActionKind::Restart, 3).await;
    let now = world.until_phase(ReplicaPhase::Ready).await;
    assert_ne!(now.pid, Some(pid));
    let asked: Vec<i64> = (world.server.memory.lock().unwrap().secret_requests.iter())
        .map(|it| match it.purpose {
            SecretPurpose::Start { generation, .. } => generation,
            SecretPurpose::Probe { .. } => 0,
        })
        .collect();
    assert_eq!(asked, [1, 2, 3], "each restart asks once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_says_of_a_refusal_is_told() {
    let world = world_with_key().await;
    world.server.memory.lock().unwrap().secrets.clear();
    let error = failed(&world, 1).await;
    assert_eq!(error, "secret API_KEY: secret API_KEY has no value: insightdesk secrets set API_KEY");
    let long = "no ".repeat(1_000);
    let cut = format!("{}…", &long[..500]);
    let unread = "secret API_KEY: not for this purpose: see what the stack file gives to whom";
    let told = [
        (
            PROBLEM,
            r#"{"detail":"API_KEY is not for app:\n\u001b[31mname it in [services.app]"}"#.to_owned(),
            "secret API_KEY: API_KEY is not for app: [31mname it in [services.app]",
        ),
        (
            "application/problem+json; charset=utf-8",
            format!(r#"{{"detail":"{long}"}}"#),
            &*format!("secret API_KEY: {cut}"),
        ),
        (PROBLEM, format!(r#"{{"detail":"{}"}}"#, "x".repeat(65 * 1024)), unread),
        (PROBLEM, r#"{"detail":" \t "}"#.to_owned(), unread),
        (PROBLEM, r#"{"detail":7}"#.to_owned(), unread),
        (PROBLEM, "\u{0}rubbish".to_owned(), unread),
        ("text/html", "<h1>detail</h1>".to_owned(), unread),
    ];
    for (generation, (kind, body, expected)) in (2..).zip(told) {
        answer(&world, Some((StatusCode::FORBIDDEN, kind, body)));
        assert_eq!(failed(&world, generation).await, expected);
    }
    for (generation, status) in [(20, StatusCode::IM_A_TEAPOT), (21, StatusCode::UNAUTHORIZED)] {
        answer(&world, Some((status, "text/plain", String::new())));
        let error = failed(&world, generation).await;
        assert!(error.starts_with("secret API_KEY: the server "), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_is_no_secret_and_is_never_quoted() {
    let world = world_with_key().await;
    let json = "application/json";
    let nonsense = "the server's answer cannot be understood: are server and agent of one version?";
    let no_value = "the server gave no value: set it with `insightdesk secrets set`";
    let answers = [
        (String::new(), nonsense),
        (KEY.to_owned(), nonsense),
        (format!(r#""{KEY}""#), nonsense),
        (format!(r#"{{"values":"{KEY}"}}"#), nonsense),
        (format!(r#"{{"values":{{"API_KEY":["{KEY}"]}}}}"#), nonsense),
        (format!(r#"{{"values":{{"API_KEY":"{KEY}"#), nonsense),
        (format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000)), nonsense),
        (r#"{"values":{}}"#.to_owned(), no_value),
        (r#"{"values":{"API_KEY":""}}"#.to_owned(), no_value),
        (format!(r#"{{"values":{{"API_KEY":"{KEY}\u0000"}}}}"#), no_value),
        (format!(r#"{{"values":{{"OTHER":"{KEY}"}}}}"#), no_value),
        (
            format!(r#"{{"values":{{"API_KEY":"{}"}}}}"#, KEY.repeat(50_000)),
            "the server's answer is too long",
        ),
    ];
    for (generation, (body, expected)) in (1..).zip(answers) {
        answer(&world, Some((StatusCode::OK, json, body.clone())));
        let shown = &body[..body.len().min(100)];
        assert_eq!(failed(&world, generation).await, format!("secret API_KEY: {expected}"), "{shown}");
    }
    // What nobody asked for and no variable can be named or hold is left out, and the rest is good.
    let along = r#""A=B":"x","":"x","1":"x","EMPTY":"","NUL":"\u0000","GOOD_ONE":"canary-along""#;
    let body = format!(r#"{{"values":{{"API_KEY":"{KEY}",{along}}}}}"#);
    answer(&world, Some((StatusCode::OK, json, body)));
    world.must(ActionKind::Start, 100).await;
    let pid = world.until_phase(ReplicaPhase::Ready).await.pid.unwrap();
    let environment = String::from_utf8(std::fs::read(format!("/proc/{pid}/environ")).unwrap()).unwrap();
    assert!(environment.contains("GOOD_ONE=canary-along") && !environment.contains("EMPTY"), "{environment}");
    for value in [KEY, "canary-along"] {
        assert_eq!(files_with(&world, value), Vec::<PathBuf>::new(), "{value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_which_an_earlier_agent_kept_secrets_is_deleted() {
    let mut world = World::with(|_, _| {}).await;
    world.start_ready().await;
    world.kill_agent();
    let files = ["secrets.json", ".secrets.json.tmp"].map(|name| world.state_dir().join(name));
    for file in &files {
        std::fs::write(file, format!(r#"{{"MADE":"{KEY}"}}"#)).unwrap();
    }
    world.start_agent();
    let gone = || files.iter().all(|file| !file.exists()).then_some(());
    assert_eq!(world.eventually(gone).await, Some(()));
    let told = || {
        (world.agent_log().matches("deleted a file that held secrets in clear").count() == 2).then_some(())
    };
    assert_eq!(world.eventually(told).await, Some(()), "{}", world.agent_log());
    assert_eq!(files_with(&world, KEY), Vec::<PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_takes_up_a_password_that_was_renewed_before_anybody_hears_of_it() {
    let port = free_port();
    let _valkey = Valkey::start(port, "noeviction");
    let world = World::with_stack(|_, stack| {
        let spec = ValkeySpec {
            address: format!("127.0.0.1:{port}"),
            password_secret: Some("STORE".to_owned()),
            development: false,
            queues: None,
        };
        stack.valkey.insert("main".to_owned(), spec);
    })
    .await;
    // A password that cannot be had says nothing of the store.
    let status = |status: DependencyStatus| {
        move |memory: &crate::server::Memory| {
            let report = memory.dependencies.get("valkey.main")?;
            (report.status == status).then(|| report.detail.clone())
        }
    };
    let unknown = world.until("the want of a password", status(DependencyStatus::Unknown)).await;
    assert_eq!(unknown, "secret STORE: secret STORE has no value: insightdesk secrets set STORE");
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    let mut open = client.get_multiplexed_async_connection().await.unwrap();
    let set = |password: &str| redis::cmd("CONFIG").arg(&["SET", "requirepass", password]).to_owned();
    let () = set("first-word").query_async(&mut open).await.unwrap();
    world.set_secret("STORE", "first-word");
    world.until("it to be up", status(DependencyStatus::Up)).await;
    let (asked, told) = {
        let memory = world.server.memory.lock().unwrap();
        (memory.secret_requests.len(), memory.dependency_reports.len())
    };

    world.set_secret("STORE", "second-word");
    let () = set("second-word").query_async(&mut open).await.unwrap();
    let kill = redis::cmd("CLIENT").arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]).to_owned();
    let _: u64 = kill.query_async(&mut open).await.unwrap();
    world.until("it to be asked for", |memory| (memory.secret_requests.len() > asked).then_some(())).await;
    // Several looks later nothing else has been seen, and nothing asked.
    world.until("heartbeats", |memory| (memory.dependency_reports.len() > told + 1).then_some(())).await;
    let memory = world.server.memory.lock().unwrap();
    let later = &memory.dependency_reports[told..];
    assert!(later.iter().all(|report| report.status == DependencyStatus::Up), "{later:#?}");
    let purpose = SecretPurpose::Probe { store: "valkey.main".to_owned() };
    let request = SecretsRequest { names: vec!["STORE".to_owned()], purpose };
    assert_eq!(memory.secret_requests[asked..], [request]);
    drop(memory);
    for value in ["first-word", "second-word"] {
        assert_eq!(files_with(&world, value), Vec::<PathBuf>::new(), "{value}");
    }
}
