//! `insightdesk doctor`: looks at this machine and the running stack; for each fault, the fix.

mod look_alikes;
mod repository;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use ops_contract::NowView;
use serde::Serialize;

use super::stack;
use crate::cli::Globals;
use crate::client::Client;
use crate::control::{files, holder, ports, slots};
use crate::dev::programs;
use crate::failure::{Failure, Kind, Result};
use crate::output::{self, Colour};
use crate::place::Place;

/// Data stores stop working well below this.
const FREE_BYTES: u64 = 1 << 30;

/// An agent that is silent for longer is not fresh: three reports.
const FRESH_S: f64 = 15.0;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 1 when something must be mended.\n\nExamples:\n  insightdesk doctor\n  insightdesk doctor --json | jq '.[] | select(.state != \"good\")'\n  insightdesk doctor --repository    # in CI: refuses what should not be committed"
)]
pub(crate) struct Arguments {
    /// Look only for committed secrets: environment and key files, and lines that look like keys, in the repository around
    /// this folder
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = ".")]
    repository: Option<PathBuf>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    check: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Good,
    Warning,
    Bad,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let checks = match &arguments.repository {
        Some(folder) => repository::look(folder),
        None => machine(globals).await?,
    };
    if globals.json {
        output::json(&checks)?
    } else {
        say(&checks)
    }
    let faults = checks.iter().filter(|it| it.state == State::Bad).count();
    if faults == 0 { Ok(()) } else { Err(Failure::new(Kind::Problems, "")) }
}

async fn machine(globals: &Globals) -> Result<Vec<Check>> {
    let place = Place::find(globals)?;
    let mut checks = programs_found();
    checks.push(shim()?);
    checks.extend([state_folder(&place), disk(&place), clock(), open_files()]);
    match stack::load(&place, true) {
        Ok(file) => {
            checks.push(good("stack file", place.stack_file.display().to_string()));
            checks.push(needed_ports(&place, &file));
        }
        Err(_) => checks.push(bad("stack file", "it has faults or is missing", "insightdesk stack check")),
    }
    let folder = place.stack_file.parent().unwrap_or_else(|| std::path::Path::new("."));
    checks.extend(repository::look(folder));
    checks.extend(control_plane(globals).await);
    Ok(checks)
}

fn say(checks: &[Check]) {
    for check in checks {
        let (glyph, colour) = match check.state {
            State::Good => ("✓ good", Colour::Green),
            State::Warning => ("! look", Colour::Yellow),
            State::Bad => ("✗ bad ", Colour::Red),
        };
        output::say(&format!("{}  {:<16} {}", output::paint(glyph, colour), check.check, check.found));
        if let Some(fix) = &check.fix {
            output::say(&format!("        fix: {fix}"));
        }
    }
}

fn good(check: &'static str, found: impl Into<String>) -> Check {
    Check { check, state: State::Good, found: found.into(), fix: None }
}

fn bad(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Check {
    Check { check, state: State::Bad, found: found.into(), fix: Some(fix.into()) }
}

fn warning(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Check {
    Check { check, state: State::Warning, found: found.into(), fix: Some(fix.into()) }
}

fn programs_found() -> Vec<Check> {
    let postgres = programs::postgres_folder().map(|it| it.join("postgres"));
    [
        ("postgresql", postgres, "--version", "apt-get install postgresql, or brew install postgresql"),
        (
            "valkey",
            programs::valkey_server(),
            "--version",
            "apt-get install valkey-server or redis-server, or brew install valkey",
        ),
        ("nginx", programs::find(&["nginx"]), "-v", "apt-get install nginx-light, or brew install nginx"),
    ]
    .into_iter()
    .map(|(name, program, flag, fix)| match program {
        Some(program) => good(name, version(&program, flag)),
        None => bad(name, "not found", fix),
    })
    .collect()
}

fn version(program: &std::path::Path, flag: &str) -> String {
    let output = Command::new(program).arg(flag).output();
    let text = output.map(|it| [it.stdout, it.stderr].concat()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    format!("{} ({})", text.lines().next().unwrap_or("no version").trim(), program.display())
}

fn shim() -> Result<Check> {
    let shim = super::own_program()?.with_file_name("insightdesk-shim");
    Ok(if shim.is_file() {
        good("shim", shim.display().to_string())
    } else {
        bad("shim", format!("{} is missing", shim.display()), "./x build")
    })
}

fn state_folder(place: &Place) -> Check {
    let state = place.state.display();
    if !place.state.exists() {
        return good("state folder", format!("{state} does not exist yet"));
    }
    let probe = place.state.join("doctor.probe");
    if let Err(error) = files::write_private(&probe, b"") {
        return bad(
            "state folder",
            format!("{error:#}"),
            format!("give it to yourself: chown -R $(id -u) {state}"),
        );
    }
    let _ = std::fs::remove_file(probe);
    let open: Vec<String> =
        [place.client_file(), place.operator_token(), place.agent_token(), place.state.join("secrets.key")]
            .iter()
            .filter(|file| file.metadata().is_ok_and(|it| it.permissions().mode() & 0o077 != 0))
            .map(|file| file.display().to_string())
            .collect();
    if open.is_empty() {
        good("state folder", state.to_string())
    } else {
        bad("state folder", "others may read secrets", format!("chmod 600 {}", open.join(" ")))
    }
}

fn disk(place: &Place) -> Check {
    let folder = place.state.ancestors().find(|it| it.exists()).unwrap_or(&place.base);
    match rustix::fs::statvfs(folder) {
        Ok(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            let found = format!("{} MiB free in {}", free >> 20, folder.display());
            if free >= FREE_BYTES { good("disk", found) } else { bad("disk", found, "free at least 1 GiB") }
        }
        Err(error) => {
            warning("disk", format!("could not be told: {error}"), format!("df {}", folder.display()))
        }
    }
}

fn clock() -> Check {
    let now = jiff::Timestamp::now();
    let Ok(built) = "2026-01-01T00:00:00Z".parse::<jiff::Timestamp>() else {
        return good("clock", now.to_string());
    };
    if now < built {
        return bad("clock", format!("it says {now}"), "set the clock: timedatectl set-ntp true");
    }
    good("clock", now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn open_files() -> Check {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    match limit.current {
        Some(count) if count < 1024 => bad("open files", format!("at most {count}"), "ulimit -n 4096"),
        count => {
            good("open files", count.map_or_else(|| "no limit".to_owned(), |it| format!("at most {it}")))
        }
    }
}

fn needed_ports(place: &Place, file: &ops_stack::StackFile) -> Check {
    let running: Vec<String> = slots::alive(&place.state).into_iter().map(|it| it.name).collect();
    let mut wanted: Vec<u16> = Vec::new();
    if holder(&place.lock("server")).is_none() {
        wanted.push(file.server.listen.port());
        if let ops_stack::GrpcListen::At(grpc) = file.server.grpc {
            wanted.push(grpc.port());
        }
    }
    for (name, spec) in &file.stack.services {
        if !running.iter().any(|it| it.starts_with(&format!("{name}/"))) {
            wanted.extend(spec.port);
        }
    }
    let taken: Vec<String> = wanted
        .into_iter()
        .filter(|port| ports::is_taken(([127, 0, 0, 1], *port).into()))
        .map(|port| format!("{port} by {}", ports::taker(port)))
        .collect();
    if taken.is_empty() {
        return good("ports", "free, or ours");
    }
    bad(
        "ports",
        format!("taken: {}", taken.join(", ")),
        "end that process, or change the port in the stack file",
    )
}

async fn control_plane(globals: &Globals) -> Vec<Check> {
    let client = match Client::find(globals) {
        Ok(client) => client,
        Err(_) => return vec![warning("server", "not started yet", "insightdesk up")],
    };
    if !client.is_alive().await {
        return vec![warning("server", format!("nobody answers at {}", client.url()), "insightdesk up")];
    }
    match client.get::<NowView>("/api/now").await {
        Err(failure) => vec![bad("server", failure.message, "insightdesk login --help")],
        Ok(now) => {
            let agent = match now.data_age_s {
                Some(age) if age <= FRESH_S => good("agent", format!("last heard {age:.0} s ago")),
                Some(age) => {
                    bad("agent", format!("silent for {age:.0} s"), "see .insightdesk/logs/control/agent.log")
                }
                None => bad(
                    "agent",
                    "never heard",
                    "insightdesk up starts it; see .insightdesk/logs/control/agent.log",
                ),
            };
            vec![good("server", client.url().to_owned()), agent]
        }
    }
}
