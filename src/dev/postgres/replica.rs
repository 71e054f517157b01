//! A streaming replica: copied from its primary once, and again when it no longer belongs to it.

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::bail;

use super::{Place, becomes, leftover, run as run_command};
use crate::dev::say;

/// How long a first copy waits for the primary.
const PATIENCE: Duration = Duration::from_secs(60);

/// Arguments of `dev postgres-replica`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its folder.
    #[arg(long)]
    data: PathBuf,
    /// Its port on 127.0.0.1.
    #[arg(long)]
    port: u16,
    /// The primary's port on 127.0.0.1.
    #[arg(long)]
    primary_port: u16,
    /// The primary's user; may replicate.
    #[arg(long)]
    user: String,
    /// Its replication slot on the primary; unique there.
    #[arg(long, default_value = "replica_0")]
    slot: String,
}

pub(in crate::dev) fn run(arguments: &Arguments) -> anyhow::Result<Infallible> {
    anyhow::ensure!(
        arguments.slot.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_'),
        "a slot is named with lower case letters, digits and underscores"
    );
    let place = Place::prepare(&arguments.data)?;
    place.clear_draft()?;
    if place.has_cluster() {
        leftover::clear(&place.cluster())?;
    }
    if let Some(reason) = stale(&place, arguments)? {
        say(&format!("copying the primary: {reason}"));
        copy(&place, arguments)?;
    }
    let mut server = place.server(arguments.port);
    server.arg("-c").arg(format!("primary_conninfo={}", connection(arguments)));
    server.arg("-c").arg(format!("primary_slot_name={}", arguments.slot));
    server.args(["-c", "hot_standby_feedback=on"]);
    becomes(server)
}

/// Why a new copy is needed. A complete replica starts without its primary: reads go on while that is away.
fn stale(place: &Place, arguments: &Arguments) -> anyhow::Result<Option<String>> {
    if !place.has_cluster() {
        return Ok(Some("there is no copy yet".to_owned()));
    }
    if !place.cluster().join("standby.signal").exists() {
        return Ok(Some("this one was promoted".to_owned()));
    }
    let Ok(theirs) = ask(place, arguments, "SELECT system_identifier FROM pg_control_system()") else {
        say("the primary does not answer: serving what is here until it does");
        return Ok(None);
    };
    let mut control = place.program("pg_controldata");
    control.arg("-D").arg(place.cluster());
    let ours = run_command(control)?;
    let ours = ours.lines().find_map(|line| line.strip_prefix("Database system identifier:")).map(str::trim);
    if ours != Some(theirs.as_str()) {
        return Ok(Some("the primary is another cluster than before".to_owned()));
    }
    let question =
        format!("SELECT wal_status FROM pg_replication_slots WHERE slot_name = '{}'", arguments.slot);
    let Ok(slot) = ask(place, arguments, &question) else { return Ok(None) };
    Ok(match slot.as_str() {
        "" => Some("the primary no longer has its slot".to_owned()),
        "lost" => Some("the primary no longer has the changes that are missing here".to_owned()),
        _ => None,
    })
}

fn copy(place: &Place, arguments: &Arguments) -> anyhow::Result<()> {
    wait_for_primary(place, arguments)?;
    drop_slot(place, arguments)?;
    let mut copy = place.program("pg_basebackup");
    copy.arg("-D").arg(place.draft()).args(["-d", &connection(arguments)]);
    copy.args(["-R", "-X", "stream", "-C", "-S", &arguments.slot, "--checkpoint=fast", "--no-password"]);
    run_command(copy)?;
    place.keep_draft()
}

/// A slot left by an earlier copy would make the new one fail; whoever still holds it belongs to that copy.
fn drop_slot(place: &Place, arguments: &Arguments) -> anyhow::Result<()> {
    let chosen = format!("FROM pg_replication_slots WHERE slot_name = '{}'", arguments.slot);
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        ask(place, arguments, &format!("SELECT pg_terminate_backend(active_pid) {chosen} AND active"))?;
        match ask(place, arguments, &format!("SELECT pg_drop_replication_slot(slot_name) {chosen}")) {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > deadline => {
                return Err(error.context("could not drop the old replication slot"));
            }
            Err(_) => pause(Duration::from_millis(100)),
        }
    }
}

fn wait_for_primary(place: &Place, arguments: &Arguments) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut told = false;
    loop {
        let Err(error) = ask(place, arguments, "SELECT 1") else { return Ok(()) };
        if Instant::now() > deadline {
            bail!(
                "the primary on port {} did not answer within {} s, and there is no copy to serve: {error:#}",
                arguments.primary_port,
                PATIENCE.as_secs()
            );
        }
        if !told {
            say(&format!("waiting for the primary on port {}", arguments.primary_port));
            told = true;
        }
        pause(Duration::from_millis(100));
    }
}

/// Asks the primary one question.
fn ask(place: &Place, arguments: &Arguments, question: &str) -> anyhow::Result<String> {
    let mut psql: Command = place.program("psql");
    psql.env("PGCONNECT_TIMEOUT", "3").args([
        "-X",
        "-q",
        "-A",
        "-t",
        "-v",
        "ON_ERROR_STOP=1",
        "--no-password",
    ]);
    psql.arg("-d").arg(format!("{} dbname=postgres", connection(arguments))).args(["-c", question]);
    run_command(psql)
}

fn connection(arguments: &Arguments) -> String {
    let user = arguments.user.replace('\\', "\\\\").replace('\'', "\\'");
    format!(
        "host=127.0.0.1 port={} user='{user}' application_name={} sslmode=disable gssencmode=disable",
        arguments.primary_port, arguments.slot
    )
}

/// Not `tokio::time`: this process has no runtime, it is about to become another program.
#[expect(clippy::disallowed_methods)]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
