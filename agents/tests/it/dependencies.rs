use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use ops_contract::{DependencyKind, DependencyStatus, PostgresSpec, ValkeySpec};

use crate::world::World;

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A Valkey or Redis server that ends with the test.
struct Valkey(Child);

impl Valkey {
    fn start(port: u16, policy: &str) -> Self {
        let program = std::env::var_os("INSIGHTDESK_TEST_VALKEY_BIN").map(PathBuf::from);
        let candidates = program.into_iter().chain(["valkey-server".into(), "redis-server".into()]);
        let spawn = |program: PathBuf| {
            let arguments = [
                "--port",
                &port.to_string(),
                "--save",
                "",
                "--maxmemory-policy",
                policy,
                "--bind",
                "127.0.0.1",
            ];
            Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
        };
        let child = candidates.into_iter().find_map(spawn);
        Self(
            child.expect(
                "no Valkey: install valkey-server or redis-server, or set INSIGHTDESK_TEST_VALKEY_BIN",
            ),
        )
    }
}

impl Drop for Valkey {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn until(world: &World, name: &str, status: DependencyStatus) -> String {
    let find = |memory: &crate::server::Memory| {
        memory
            .dependencies
            .get(name)
            .filter(|report| report.status == status)
            .map(|report| report.detail.clone())
    };
    world.until(&format!("{name} {status:?}"), find).await
}

#[tokio::test(flavor = "multi_thread")]
async fn valkey_is_seen_to_come_and_to_go() {
    let port = free_port();
    let world = World::with_stack(|_, stack| {
        let spec =
            ValkeySpec { address: format!("127.0.0.1:{port}"), password_secret: None, development: false };
        stack.valkey.insert("main".to_owned(), spec);
    })
    .await;
    assert_eq!(until(&world, "valkey.main", DependencyStatus::Down).await, "connection refused");
    let valkey = Valkey::start(port, "allkeys-lru");
    let detail = until(&world, "valkey.main", DependencyStatus::Up).await;
    assert_eq!(detail, "answers as master; maxmemory-policy is allkeys-lru: jobs may be evicted");
    drop(valkey);
    assert_eq!(until(&world, "valkey.main", DependencyStatus::Down).await, "connection refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_accepts_and_says_nothing_is_unknown_first_and_down_later() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let world = World::with_stack(|_, stack| {
        let spec = PostgresSpec {
            primary: address,
            replicas: vec![format!("127.0.0.1:{}", free_port())],
            database: "app".to_owned(),
            user: "app".to_owned(),
            password_secret: None,
            development: false,
        };
        stack.postgres.insert("main".to_owned(), spec);
    })
    .await;
    assert_eq!(until(&world, "postgres.main.replica-0", DependencyStatus::Down).await, "connection refused");
    assert_eq!(until(&world, "postgres.main", DependencyStatus::Unknown).await, "no answer within 2s");
    assert_eq!(until(&world, "postgres.main", DependencyStatus::Down).await, "no answer within 2s");
    let kind = world.server.memory.lock().unwrap().dependencies["postgres.main"].kind;
    assert_eq!(kind, DependencyKind::Postgres);
}
