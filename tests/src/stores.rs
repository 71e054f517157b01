//! Real data stores for tests: PostgreSQL, alone or with a streaming replica, and Valkey. On free ports, in temporary folders,
//! stopped by their process ids when dropped.
//!
//! The programs are found by `INSIGHTDESK_TEST_PG_BIN` and `INSIGHTDESK_TEST_VALKEY_BIN`, then in `PATH`, then where Debian puts
//! them. What is missing is an error that says how to install it.

use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use crate::{eventually, free_port};

const START: Duration = Duration::from_secs(30);
const USER: &str = "insightdesk";
const DATABASE: &str = "insightdesk";

/// PostgreSQL: a primary, and a streaming replica if asked for.
#[derive(Debug)]
pub struct Postgres {
    primary: Server,
    replica: Option<Server>,
    // Dropped last: the servers live in it.
    _folder: TempDir,
}

/// Valkey or Redis.
#[derive(Debug)]
pub struct Valkey {
    server: Server,
    binary: PathBuf,
    folder: TempDir,
}

#[derive(Debug)]
struct Server {
    child: Child,
    port: u16,
    stop: Signal,
}

impl Postgres {
    /// Starts a primary with an empty database.
    pub async fn start() -> anyhow::Result<Self> {
        let tools = Tools::find()?;
        let folder = tools.folder()?;
        let data = folder.path().join("primary");
        let init = ["-A", "trust", "-U", USER, "-E", "UTF8", "--no-locale", "--no-sync", "-D"];
        tools.run("initdb", init.iter().map(OsStr::new).chain([data.as_os_str()]))?;
        let primary = tools.serve(&data, free_port()?)?;
        let maintenance = address(primary.port, "postgres");
        let create = eventually(START, async || {
            let mut connection = PgConnection::connect(&maintenance).await.ok()?;
            sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {DATABASE}")))
                .execute(&mut connection)
                .await
                .ok()
        });
        create.await.context("the primary did not start in time")?;
        Ok(Self { primary, replica: None, _folder: folder })
    }

    /// Starts a primary and a replica that streams from it.
    pub async fn start_with_replica() -> anyhow::Result<Self> {
        let mut postgres = Self::start().await?;
        let tools = Tools::find()?;
        let data = postgres._folder.path().join("replica");
        let port = postgres.primary.port.to_string();
        let copy = [
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-U",
            USER,
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "--no-sync",
            "-D",
        ];
        tools.run("pg_basebackup", copy.iter().map(OsStr::new).chain([data.as_os_str()]))?;
        let replica = tools.serve(&data, free_port()?)?;
        let url = address(replica.port, DATABASE);
        eventually(START, async || PgConnection::connect(&url).await.ok())
            .await
            .context("the replica did not start in time")?;
        postgres.replica = Some(replica);
        Ok(postgres)
    }

    /// Address of the primary.
    pub fn url(&self) -> String {
        address(self.primary.port, DATABASE)
    }

    /// Address of the replica; the primary's when there is none.
    pub fn replica_url(&self) -> String {
        address(self.replica.as_ref().unwrap_or(&self.primary).port, DATABASE)
    }

    /// Stops the replica, as an outage would.
    pub fn stop_replica(&mut self) {
        self.replica = None;
    }

    /// Freezes the primary: it holds its connections and answers nobody.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.primary.signal_all(Signal::STOP)
    }

    /// Lets a frozen primary go on.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.primary.signal_all(Signal::CONT)
    }
}

impl Valkey {
    /// Starts a server that keeps nothing.
    pub async fn start() -> anyhow::Result<Self> {
        let binary = std::env::var_os("INSIGHTDESK_TEST_VALKEY_BIN").map(PathBuf::from);
        let binary = binary.or_else(|| in_path("valkey-server")).or_else(|| in_path("redis-server"));
        let binary = binary.context(
            "no valkey-server and no redis-server: `./x test` installs one, or apt install valkey-server",
        )?;
        let folder = tempfile::tempdir()?;
        let server = serve_valkey(&binary, folder.path(), free_port()?)?;
        let valkey = Self { server, binary, folder };
        valkey.answers().await?;
        Ok(valkey)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("valkey://127.0.0.1:{}", self.server.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// Stops it, as an outage would; [`Valkey::again`] brings it back on the same port.
    pub fn stop(&mut self) {
        self.server.end();
    }

    /// Starts it again, empty.
    pub async fn again(&mut self) -> anyhow::Result<()> {
        self.server = serve_valkey(&self.binary, self.folder.path(), self.server.port)?;
        self.answers().await
    }

    async fn answers(&self) -> anyhow::Result<()> {
        let client = redis::Client::open(self.url())?;
        let ping = eventually(START, async || {
            let mut connection = client.get_multiplexed_async_connection().await.ok()?;
            redis::cmd("PING").query_async::<()>(&mut connection).await.ok()
        });
        ping.await.context("valkey did not start in time")
    }
}

fn serve_valkey(binary: &Path, folder: &Path, port: u16) -> anyhow::Result<Server> {
    let child = Command::new(binary)
        .args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--port",
            &port.to_string(),
            "--dir",
        ])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("could not start {}", binary.display()))?;
    Ok(Server { child, port, stop: Signal::KILL })
}

/// PostgreSQL's programs, and the user that runs them: it refuses to run as root.
struct Tools {
    folder: PathBuf,
    user: Option<(u32, u32)>,
}

impl Tools {
    fn find() -> anyhow::Result<Self> {
        let told = std::env::var_os("INSIGHTDESK_TEST_PG_BIN").map(PathBuf::from);
        let known = || {
            let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
            let mut folders: Vec<PathBuf> =
                versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
            folders.sort();
            folders.into_iter().rev().find(|folder| folder.join("initdb").exists())
        };
        // What stands in PATH may be a link to one program of a folder that holds them all.
        let path = || {
            let folder = std::fs::canonicalize(in_path("initdb")?).ok()?.parent()?.to_owned();
            folder.join("pg_basebackup").exists().then_some(folder)
        };
        let folder = told.or_else(path).or_else(known);
        let folder = folder
            .context("PostgreSQL is not installed: `./x test` installs it, or apt install postgresql")?;
        let user = if rustix::process::getuid().is_root() { Some(postgres_user()?) } else { None };
        Ok(Self { folder, user })
    }

    fn folder(&self) -> anyhow::Result<TempDir> {
        let folder = tempfile::Builder::new().prefix("insightdesk-pg-").tempdir()?;
        if let Some((user, group)) = self.user {
            chown(folder.path(), Some(user), Some(group))?;
        }
        Ok(folder)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.folder.join(program));
        command.stdin(Stdio::null()).current_dir("/");
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    fn run<'a>(&self, program: &str, arguments: impl Iterator<Item = &'a OsStr>) -> anyhow::Result<()> {
        let output = self
            .command(program)
            .args(arguments)
            .output()
            .with_context(|| format!("could not start {program}"))?;
        ensure!(output.status.success(), "{program} failed: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    fn serve(&self, data: &Path, port: u16) -> anyhow::Result<Server> {
        const OPTIONS: [&str; 7] = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "wal_level=replica",
            "max_connections=60",
            "shared_buffers=16MB",
            "fsync=off",
            "logging_collector=off",
        ];
        let mut command = self.command("postgres");
        command.arg("-D").arg(data).args(["-p", &port.to_string()]);
        for option in OPTIONS {
            command.args(["-c", option]);
        }
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("could not start postgres")?;
        // SIGQUIT ends it at once, without a checkpoint.
        Ok(Server { child, port, stop: Signal::QUIT })
    }
}

/// Who owns what Debian installed for PostgreSQL.
fn postgres_user() -> anyhow::Result<(u32, u32)> {
    let home = std::fs::metadata("/var/lib/postgresql")
        .context("there is no user postgres: apt install postgresql")?;
    Ok((home.uid(), home.gid()))
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn address(port: u16, database: &str) -> String {
    format!("postgresql://{USER}@127.0.0.1:{port}/{database}")
}

impl Server {
    fn pid(&self) -> anyhow::Result<Pid> {
        Pid::from_raw(i32::try_from(self.child.id())?).context("a process without an id")
    }

    /// Signals the server and its children.
    fn signal_all(&self, signal: Signal) -> anyhow::Result<()> {
        let parent = self.child.id();
        let children =
            std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
        kill_process(self.pid()?, signal)?;
        for child in children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)) {
            let _ = kill_process(child, signal);
        }
        Ok(())
    }

    fn end(&mut self) {
        let _ = self.signal_all(Signal::CONT);
        if let Ok(pid) = self.pid() {
            let _ = kill_process(pid, self.stop);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
