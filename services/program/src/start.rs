//! How a program starts and ends: environment, telemetry, signals, exit code.
//!
//! A bad environment is reported whole on standard error and ends the program with exit code 78; restarting cannot help. Whatever
//! else is wrong outside (a store that is away) never ends it.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::Context;
use ops_settings::{EXIT_CODE, LogFormat, Settings};
use ops_telemetry::{Config, Metrics};
use tokio_util::sync::CancellationToken;

/// What a running program is, whatever it does.
#[derive(Clone)]
pub struct Program {
    /// Names it in logs, traces and health answers.
    pub name: &'static str,
    /// Which replica it is.
    pub replica: String,
    /// What it counts.
    pub metrics: Metrics,
    /// Cancelled when it must stop.
    pub shutdown: CancellationToken,
}

/// Where the program listens: `PORT` of `HOST`, which is this machine alone unless told otherwise.
pub fn address(settings: &Settings) -> anyhow::Result<SocketAddr> {
    let host = match std::env::var("HOST") {
        Ok(host) => host.parse::<IpAddr>().context("HOST is not an IP address")?,
        Err(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    Ok(SocketAddr::new(host, settings.application.port))
}

/// Whether development data was asked for (`SEED=1`).
pub fn seed_requested() -> bool {
    std::env::var_os("SEED").is_some_and(|value| value == "1" || value == "true")
}

/// Runs a program from its first line to its exit code.
pub fn run<F>(name: &'static str, serve: impl FnOnce(Settings, Program) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    // Variables that name another program's address (PORT among them) are checked by the settings like all others.
    let settings = match Settings::from_env() {
        Ok(settings) => settings,
        Err(report) => {
            let _ = writeln!(std::io::stderr(), "{name} cannot start: {report}");
            return ExitCode::from(EXIT_CODE);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{name} cannot start its runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(start(name, settings, serve));
    if let Err(error) = &result {
        let _ = writeln!(std::io::stderr(), "{name} failed: {error:#}");
    }
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn start<F>(
    name: &'static str,
    settings: Settings,
    serve: impl FnOnce(Settings, Program) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let replica =
        settings.application.replica.clone().unwrap_or_else(|| format!("{name}/{}", std::process::id()));
    let guard = ops_telemetry::init(telemetry(name, &replica, &settings))?;
    let shutdown = CancellationToken::new();
    ops_tasks::cancel_on_signal(shutdown.clone())?;
    let program = Program { name, replica, metrics: Metrics::default(), shutdown };
    let result = serve(settings, program).await;
    // Sends what is still queued; blocks for a moment, when nobody waits any more.
    tokio::task::spawn_blocking(|| guard.shutdown()).await?;
    result
}

fn telemetry(name: &'static str, replica: &str, settings: &Settings) -> Config {
    let application = &settings.application;
    let mut config = Config::new(name);
    config.replica = Some(replica.to_owned());
    config.environment = application.environment.to_string();
    config.log_level.clone_from(&settings.logging.level);
    config.log_format = match settings.logging.format {
        LogFormat::Json => ops_telemetry::LogFormat::Json,
        LogFormat::Pretty => ops_telemetry::LogFormat::Pretty,
    };
    config.otlp_endpoint.clone_from(&settings.telemetry.otlp_endpoint);
    config.sentry_dsn.clone_from(&settings.telemetry.sentry_dsn);
    let (database, valkey, auth) = (&settings.database, &settings.valkey, &settings.auth);
    let password = settings.email.smtp.as_ref().and_then(|smtp| Some(smtp.credentials.as_ref()?.1.clone()));
    config
        .with_secrets([database.url.clone(), auth.secret.clone(), auth.refresh_secret.clone()])
        .with_secrets(database.replica_urls.iter().cloned())
        .with_secrets(
            [&valkey.url, &valkey.cache_url, &valkey.queue_url, &valkey.session_url].map(Clone::clone),
        )
        .with_secrets(password)
}
