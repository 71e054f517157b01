//! A development Valkey (or Redis): append-only file, nothing evicted, because queues live in it.

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use super::{become_program, folder, programs};

/// Arguments of `dev valkey`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its folder.
    #[arg(long)]
    data: PathBuf,
    /// Its port on 127.0.0.1.
    #[arg(long)]
    port: u16,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Infallible> {
    let server = programs::valkey_server().context(
        "found neither valkey-server nor redis-server: install one (Debian: `apt-get install redis-server`, macOS: `brew install valkey`)",
    )?;
    let data = folder::prepare(&arguments.data, None)?;
    let mut command = Command::new(server);
    command.current_dir(&data).arg("--port").arg(arguments.port.to_string()).arg("--dir").arg(&data);
    command.args(["--bind", "127.0.0.1", "--protected-mode", "yes", "--daemonize", "no", "--logfile", ""]);
    // A queue must survive a crash and must never be evicted; snapshots would only repeat the append-only file.
    command.args(["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]);
    command.args(["--maxmemory-policy", "noeviction"]);
    become_program(command)
}
