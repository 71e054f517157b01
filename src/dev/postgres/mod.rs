//! Development PostgreSQL: a primary, and streaming replicas of it.
//!
//! A data folder is filled beside its place and moved there when it is complete, so that an interruption never leaves
//! half a cluster. Everything but the place is given on the command line, so that ports may change between starts.

mod leftover;
mod primary;
mod replica;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, bail};

use super::user::{self, User};
use super::{folder, programs};

pub(crate) use primary::Arguments as PrimaryArguments;
pub(super) use primary::run as primary;
pub(crate) use replica::Arguments as ReplicaArguments;
pub(super) use replica::run as replica;

/// A PostgreSQL installation, and the folder of one cluster. Made, this process is the user that owns it.
struct Place {
    programs: PathBuf,
    folder: PathBuf,
}

impl Place {
    fn prepare(data: &Path) -> anyhow::Result<Self> {
        let programs = programs::postgres_folder().context(
            "found no PostgreSQL server: install it (Debian: `apt-get install postgresql`, macOS: `brew install postgresql`)",
        )?;
        let user: Option<User> = user::to_become()?;
        let folder = folder::prepare(data, user)?;
        std::env::set_current_dir(&folder)
            .with_context(|| format!("could not enter {}", folder.display()))?;
        if let Some(user) = user {
            user::switch_to(user)?;
        }
        Ok(Self { programs, folder })
    }

    /// Where the cluster is.
    fn cluster(&self) -> PathBuf {
        self.folder.join("cluster")
    }

    /// Where a new cluster is put together.
    fn draft(&self) -> PathBuf {
        self.folder.join("cluster.new")
    }

    fn has_cluster(&self) -> bool {
        self.cluster().join("PG_VERSION").exists()
    }

    /// Removes what an interrupted attempt left.
    fn clear_draft(&self) -> anyhow::Result<()> {
        remove(&self.draft())
    }

    /// Puts the draft in its place.
    fn keep_draft(&self) -> anyhow::Result<()> {
        remove(&self.cluster())?;
        std::fs::rename(self.draft(), self.cluster()).context("could not put the new cluster in place")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        // PGHOST and the like would lead the tools elsewhere.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        command
    }

    /// The server, with what primary and replica share.
    fn server(&self, port: u16) -> Command {
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.cluster());
        let port = format!("port={port}");
        for setting in [
            port.as_str(),
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=60",
            "shared_buffers=32MB",
            "fsync=on",
            "wal_level=replica",
            "hot_standby=on",
            "max_wal_senders=10",
            "max_replication_slots=10",
            "wal_keep_size=64MB",
            // A replica that is gone for good must not fill the disk.
            "max_slot_wal_keep_size=1GB",
            "logging_collector=off",
            "log_destination=stderr",
            "timezone=UTC",
            "log_timezone=UTC",
        ] {
            command.arg("-c").arg(setting);
        }
        command
    }

    /// Runs a server in single-user mode on the draft or the cluster, and feeds it statements.
    fn single_user(&self, cluster: &Path, statements: &str) -> anyhow::Result<String> {
        let mut command = self.program("postgres");
        command.arg("--single").arg("-D").arg(cluster).args(["-c", "exit_on_error=on", "postgres"]);
        let output = feed(command, statements)?;
        let said = said(&output);
        if output.status.success() {
            return Ok(said);
        }
        bail!("postgres --single failed ({}): {said}", output.status)
    }
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("could not remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Runs a command to its end; its words become the error.
fn run(mut command: Command) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("could not run {program}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    bail!("{program} failed ({}): {}", output.status, said(&output))
}

fn feed(mut command: Command, text: &str) -> anyhow::Result<Output> {
    use std::io::Write;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("could not run postgres --single")?;
    if let Some(mut input) = child.stdin.take() {
        // A server that refused has closed its input; its own words say more than the broken pipe.
        let _ = input.write_all(text.as_bytes());
    }
    child.wait_with_output().context("postgres --single did not end")
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    format!("{} {}", text(&output.stderr), text(&output.stdout)).trim().to_owned()
}

/// A name as SQL writes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn becomes(command: Command) -> anyhow::Result<Infallible> {
    super::become_program(command)
}
