use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use ops_contract::{DependencyKind, DependencyStatus, PostgresSpec, ValkeySpec};

use crate::world::World;

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A Valkey or Redis server that ends with the test.
pub(crate) struct Valkey(pub(crate) Child);

impl Valkey {
    pub(crate) fn start(port: u16, policy: &str) -> Self {
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

/// A PostgreSQL server in a folder of its own; run as `postgres` when the test is root, which PostgreSQL refuses.
struct Postgres {
    bin: PathBuf,
    data: PathBuf,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Postgres {
    fn new(port: u16) -> Self {
        let set = std::env::var_os("INSIGHTDESK_TEST_PG_BIN").map(PathBuf::from);
        let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut bins: Vec<PathBuf> = installed.map(|entry| entry.path().join("bin")).collect();
        bins.sort();
        let bin =
            set.or(bins.pop()).expect("no PostgreSQL: install postgresql, or set INSIGHTDESK_TEST_PG_BIN");
        let folder = tempfile::tempdir().unwrap();
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
        let postgres = Self { bin, data: folder.path().join("data"), port, _folder: folder };
        postgres.run("initdb", &["-A", "trust", "-U", "app", "--no-sync"]);
        postgres
    }

    fn start(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off",
            self.port
        );
        self.run("pg_ctl", &["-w", "-o", &options, "-l", "/dev/null", "start"]);
    }

    fn stop(&self) {
        self.run("pg_ctl", &["-w", "-m", "fast", "stop"]);
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let path = self.bin.join(program);
        let mut command = match rustix::process::getuid().is_root() {
            true => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(path);
                command
            }
            false => Command::new(path),
        };
        command.arg("-D").arg(&self.data).args(arguments).current_dir("/").stdout(Stdio::null());
        assert!(command.status().unwrap().success(), "{program} failed");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.data.join("postmaster.pid").exists() {
            self.run("pg_ctl", &["-m", "immediate", "stop"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_seen_to_come_and_to_go() {
    let port = free_port();
    let world = World::with_stack(|_, stack| {
        let spec = PostgresSpec {
            primary: format!("127.0.0.1:{port}"),
            replicas: Vec::new(),
            database: "postgres".to_owned(),
            user: "app".to_owned(),
            password_secret: None,
            development: false,
        };
        stack.postgres.insert("main".to_owned(), spec);
    })
    .await;
    assert_eq!(until(&world, "postgres.main", DependencyStatus::Down).await, "connection refused");
    let postgres = Postgres::new(port);
    postgres.start();
    assert_eq!(until(&world, "postgres.main", DependencyStatus::Up).await, "accepts writes");
    postgres.stop();
    assert_eq!(until(&world, "postgres.main", DependencyStatus::Down).await, "connection refused");
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
        let spec = ValkeySpec {
            address: format!("127.0.0.1:{port}"),
            password_secret: None,
            development: false,
            queues: None,
        };
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
