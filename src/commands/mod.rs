//! One file per subcommand. To add one: a file with `Arguments` and `run`, a variant of [`Command`], an arm in [`run`].

pub(crate) mod agent;
pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod completions;
mod departed;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod env;
pub(crate) mod explain;
pub(crate) mod incidents;
pub(crate) mod login;
pub(crate) mod logs;
pub(crate) mod query;
pub(crate) mod queues;
pub(crate) mod receivers;
mod reference;
pub(crate) mod replay;
pub(crate) mod restart;
pub(crate) mod rules;
pub(crate) mod scale;
pub(crate) mod secrets;
pub(crate) mod server;
pub(crate) mod services;
pub(crate) mod silence;
pub(crate) mod stack;
pub(crate) mod status;
pub(crate) mod up;
pub(crate) mod words;

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::Context;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::cli::{Cli, Command};
use crate::control::Lock;
use crate::dev;
use crate::failure::{Failure, Result};
use crate::place::Place;

/// Does what the command line says.
pub(crate) fn run(cli: Cli) -> Result {
    let globals = &cli.globals;
    match &cli.command {
        Command::Up(arguments) => up::run(globals, arguments),
        Command::Down(arguments) => down::run(globals, arguments),
        Command::Server(arguments) => server::run(globals, arguments),
        Command::Agent(arguments) => agent::run(globals, arguments),
        Command::Status(arguments) => block_on(status::run(globals, arguments)),
        Command::Services(arguments) => block_on(services::run(globals, arguments)),
        Command::Logs(arguments) => block_on(logs::run(globals, arguments)),
        Command::Restart(arguments) => block_on(restart::run(globals, arguments)),
        Command::Scale(arguments) => scale::run(globals, arguments),
        Command::Queues(arguments) => block_on(queues::run(globals, arguments)),
        Command::Query(arguments) => block_on(query::run(globals, arguments)),
        Command::Rules(command) => rules::run(globals, command),
        Command::Alerts(command) => block_on(alerts::run(globals, command)),
        Command::Incidents(arguments) => block_on(incidents::run(globals, arguments)),
        Command::Secrets(command) => block_on(secrets::run(globals, command)),
        Command::Audit(command) => block_on(audit::run(globals, command)),
        Command::Receivers(command) => block_on(receivers::run(globals, command)),
        Command::Silence(command) => block_on(silence::run(globals, command)),
        Command::Env(command) => env::run(globals, command),
        Command::Login(arguments) => block_on(login::run(globals, arguments)),
        Command::Doctor(arguments) => block_on(doctor::run(globals, arguments)),
        Command::Stack(command) => stack::run(globals, command),
        Command::Completions(arguments) => completions::run(arguments),
        Command::Dev(store) => match dev::run(store) {
            Ok(never) => match never {},
            Err(error) => Err(error.into()),
        },
        Command::Reference => reference::run(),
    }
}

/// Runs a command's future on this thread.
pub(crate) fn block_on(work: impl Future<Output = Result>) -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("could not start the runtime")
        .map_err(Failure::from)?;
    runtime.block_on(work)
}

/// The path of this program. Taken once, early: it must stay right when a newer build replaces the file.
pub(crate) fn own_program() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("could not tell the path of this program")?;
    let text = program.to_string_lossy();
    // Linux says so when a newer build has replaced the file; that build is at the old path.
    Ok(text.strip_suffix(" (deleted)").map_or_else(|| program.clone(), PathBuf::from))
}

/// Becomes the leader of a new session: the terminal's Ctrl-C and hang-up no longer reach this process.
fn leave_session(wanted: bool) {
    if wanted {
        // It fails only for a process that leads a group already, which the terminal does not reach either.
        let _ = rustix::process::setsid();
    }
}

/// Takes the lock of `server` or `agent`; who holds it is named.
fn lock(place: &Place, name: &str) -> Result<Lock> {
    let path = place.lock(name);
    Lock::take(&path, &format!("insightdesk {name}"))?.map_err(|holder| {
        let pid = holder.map_or_else(String::new, |it| format!(" (pid {})", it.process.pid));
        Failure::problems(format!("another {name}{pid} runs with the state folder {}", place.state.display()))
    })
}

/// Logs, traces and errors of `server` and `agent`: for people on a terminal, JSON elsewhere.
fn telemetry(
    name: &str,
    secrets: impl IntoIterator<Item = SecretString>,
) -> anyhow::Result<ops_telemetry::Guard> {
    let mut config = ops_telemetry::Config::from_env(name).with_secrets(secrets);
    if std::io::stdout().is_terminal() {
        config.log_format = ops_telemetry::LogFormat::Pretty;
    }
    ops_telemetry::init(config)
}

/// Runs a process until SIGTERM or SIGINT.
async fn until_signal<R>(start: impl FnOnce(CancellationToken) -> R) -> anyhow::Result<()>
where
    R: Future<Output = anyhow::Result<()>>,
{
    let shutdown = CancellationToken::new();
    ops_tasks::cancel_on_signal(shutdown.clone()).context("could not install signal handlers")?;
    start(shutdown).await
}
