// Included by unit tests and by `tests/`: a PostgreSQL of its own for a test.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;

const LONGEST_START: Duration = Duration::from_secs(60);

/// A PostgreSQL server that lives as long as this does.
pub(crate) struct Postgres {
    pub(crate) url: String,
    server: Child,
    _folder: TempDir,
}

impl Postgres {
    pub(crate) async fn start() -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("ops-server-pg").tempdir_in("/tmp").unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        // PostgreSQL refuses to run as root; the user `postgres` must reach the folder.
        for path in [folder.path(), data.as_path()] {
            run(as_postgres("chown").arg("postgres").arg(path), "chown", true);
        }
        let initdb = programs.join("initdb");
        let mut command = as_postgres(initdb.to_str().unwrap());
        command.args(["--auth=trust", "--username=postgres", "--no-sync", "--pgdata"]).arg(&data);
        run(&mut command, "initdb", false);
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = as_postgres(programs.join("postgres").to_str().unwrap());
        let server = command
            .args(["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c"])
            .arg(format!("unix_socket_directories={}", data.display()))
            .args(["-p", &port.to_string(), "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let end = Instant::now() + LONGEST_START;
        sqlx::any::install_default_drivers();
        loop {
            use sqlx::Connection;
            match sqlx::AnyConnection::connect(&url).await {
                Ok(connection) => {
                    let _ = connection.close().await;
                    break;
                }
                Err(error) => assert!(Instant::now() < end, "PostgreSQL did not start: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self { url, server, _folder: folder }
    }

    /// Ends it at once.
    pub(crate) fn stop(&mut self) {
        // `runuser` passes SIGTERM on to its child; SIGKILL would leave that behind.
        let pid = self.server.id().to_string();
        let children =
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        for child in children.split_whitespace().chain([pid.as_str()]) {
            let _ = Command::new("kill").args(["-QUIT", child]).stderr(Stdio::null()).status();
        }
        let _ = self.server.wait();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

fn programs() -> PathBuf {
    if let Some(folder) = std::env::var_os("INSIGHTDESK_TEST_PG_BIN") {
        return PathBuf::from(folder);
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|folder| folder.join("initdb").exists())
        .collect();
    found.sort();
    found
        .pop()
        .expect("PostgreSQL is missing: install it (apt install postgresql) or set INSIGHTDESK_TEST_PG_BIN")
}

fn as_postgres(program: &str) -> Command {
    let root = std::fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0);
    let mut command = if root && program != "chown" {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", program]);
        command
    } else {
        Command::new(program)
    };
    command.env("LC_ALL", "C").current_dir("/tmp");
    command
}

fn run(command: &mut Command, name: &str, may_fail: bool) {
    let output = command.stdout(Stdio::null()).output().unwrap();
    assert!(
        may_fail || output.status.success(),
        "{name} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
