//! `insightdesk agent`: the process that starts, watches and stops the replicas of this machine.

use std::path::PathBuf;

use anyhow::Context;

use crate::cli::Globals;
use crate::control::{files, tokens};
use crate::failure::{Failure, Result};
use crate::place::Place;

/// Arguments of `agent`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "`insightdesk up` starts it for you. The server's address is --url; the token is read from a file.\n\nExamples:\n  insightdesk agent --url http://127.0.0.1:7700 --token-file /run/secrets/agent"
)]
pub(crate) struct Arguments {
    /// File with the agent's token [default: agent.token in the state folder]
    #[arg(long, env = "INSIGHTDESK_AGENT_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The program that keeps a replica alive [default: insightdesk-shim beside this program]
    #[arg(long, env = "INSIGHTDESK_SHIM", value_name = "FILE")]
    shim: Option<PathBuf>,
    /// Leave the terminal's session, as `up` wants it
    #[arg(long, hide = true)]
    own_session: bool,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Result {
    super::leave_session(arguments.own_session);
    let place = Place::find(globals)?;
    files::make_state(&place.state)?;
    let _lock = super::lock(&place, "agent")?;
    let server_url = globals
        .url
        .clone()
        .ok_or_else(|| Failure::usage("the agent needs the server's address: --url http://127.0.0.1:7700"))?;
    let token = tokens::read(&arguments.token_file.clone().unwrap_or_else(|| place.agent_token()))?;
    let shim = match &arguments.shim {
        Some(file) => file.clone(),
        None => super::own_program()?.with_file_name("insightdesk-shim"),
    };
    if !shim.is_file() {
        return Err(Failure::usage(format!(
            "there is no {}: build it with `./x build`, or name it with --shim",
            shim.display()
        )));
    }
    let guard = super::telemetry("insightdesk-agent", [token.clone()])?;

    let config = ops_agents::Config { server_url, token, state_dir: place.state, shim };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(4)
        .enable_all()
        .build()
        .context("could not start the runtime")?;
    let result = runtime.block_on(super::until_signal(|shutdown| ops_agents::run(config, shutdown)));
    guard.shutdown();
    Ok(result?)
}
