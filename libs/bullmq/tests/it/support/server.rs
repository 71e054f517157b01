//! A Valkey or Redis server on a free port, in a folder that goes away with it.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

pub(crate) struct Server {
    pub(crate) port: u16,
    program: PathBuf,
    folder: TempDir,
    process: Child,
}

impl Server {
    /// The first server program there is.
    pub(crate) async fn start() -> Self {
        Self::start_program(programs().remove(0)).await
    }

    /// One server of each kind that is installed.
    pub(crate) async fn start_each() -> Vec<Self> {
        let mut servers = Vec::new();
        for program in programs() {
            servers.push(Self::start_program(program).await);
        }
        servers
    }

    async fn start_program(program: PathBuf) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a free port")
            .port();
        let folder = tempfile::tempdir().expect("a folder");
        let process = launch(&program, port, &folder);
        let mut server = Self { port, program, folder, process };
        server.answer().await;
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("valkey://127.0.0.1:{}", self.port)
    }

    /// Stops the server without a chance to say good-bye.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it again on what it wrote to disk.
    pub(crate) async fn start_again(&mut self) {
        self.kill();
        self.process = launch(&self.program, self.port, &self.folder);
        self.answer().await;
    }

    /// Runs one command, as an operator would by hand.
    pub(crate) async fn command(&self, parts: &[&str]) -> redis::Value {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).expect("an address");
        let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
        let mut command = redis::cmd(parts[0]);
        for part in &parts[1..] {
            command.arg(part);
        }
        command.query_async(&mut connection).await.expect("an answer")
    }

    /// Whether it answers and has read what it has on disk.
    async fn is_up(&self) -> bool {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).expect("an address");
        let Ok(mut connection) = client.get_multiplexed_async_connection().await else { return false };
        redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
    }

    async fn answer(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.is_up().await {
            assert!(Instant::now() < deadline, "{} does not answer", self.program.display());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn launch(program: &PathBuf, port: u16, folder: &TempDir) -> Child {
    Command::new(program)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"])
        .args(["--appendfsync", "always", "--daemonize", "no", "--loglevel", "warning"])
        .arg("--dir")
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the server program starts")
}

fn programs() -> Vec<PathBuf> {
    let named = std::env::var_os("INSIGHTDESK_TEST_VALKEY_BIN").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path =
        |name: &str| std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    let valkey = named.filter(|file| file.is_file()).or_else(|| in_path("valkey-server"));
    let found: Vec<PathBuf> = valkey.into_iter().chain(in_path("redis-server")).collect();
    assert!(
        !found.is_empty(),
        "no valkey-server or redis-server: install one, or name it in INSIGHTDESK_TEST_VALKEY_BIN"
    );
    found
}
