//! `insightdesk server`: the control plane's server process.

use std::path::PathBuf;

use anyhow::Context;
use ops_contract::{AgentName, Operator, Role};
use ops_server::{Grpc, Reread};
use ops_stack::GrpcListen;
use ops_telemetry::Metrics;

use super::stack;
use crate::cli::Globals;
use crate::control::{files, secrets, tokens};
use crate::failure::Result;
use crate::place::Place;

/// Arguments of `server`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "`insightdesk up` starts it for you. Tokens are read from files, never from the command line.\nLOG_LEVEL, LOG_FORMAT, OTEL_EXPORTER_OTLP_ENDPOINT and SENTRY_DSN are honoured.\n\nExamples:\n  insightdesk server --operator-token-file /run/secrets/operator --agent-token-file /run/secrets/agent"
)]
pub(crate) struct Arguments {
    /// File with the token of the admin `local` [default: operator.token in the state folder]
    #[arg(long, env = "INSIGHTDESK_OPERATOR_TOKEN_FILE", value_name = "FILE")]
    operator_token_file: Option<PathBuf>,
    /// File with the token of the agent `local` [default: agent.token in the state folder]
    #[arg(long, env = "INSIGHTDESK_AGENT_TOKEN_FILE", value_name = "FILE")]
    agent_token_file: Option<PathBuf>,
    /// Leave the terminal's session, as `up` wants it
    #[arg(long, hide = true)]
    own_session: bool,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Result {
    super::leave_session(arguments.own_session);
    let place = Place::find(globals)?;
    let file = stack::load(&place, false)?;
    files::make_state(&place.state)?;
    let _lock = super::lock(&place, "server")?;

    let operator_file = arguments.operator_token_file.clone().unwrap_or_else(|| place.operator_token());
    let agent_file = arguments.agent_token_file.clone().unwrap_or_else(|| place.agent_token());
    let operator = tokens::read(&operator_file)?;
    let agent = tokens::read(&agent_file)?;
    let secrets = secrets::of_server(&place, &file.stack)?;
    let variables = secrets::variables(&place)?;
    let environment = secrets::of_stack(&file.stack, &variables);
    let reread = {
        let (place, stack) = (place.clone(), file.stack.clone());
        Reread::new(move || Ok(secrets::of_stack(&stack, &secrets::variables(&place)?)))
    };
    let hidden = [operator.clone(), agent.clone()]
        .into_iter()
        .chain(secrets.values().cloned())
        .chain(variables.values().cloned())
        .chain(environment.values().cloned());
    let guard = super::telemetry("insightdesk-server", hidden)?;

    let config = ops_server::Config {
        stack: file.stack,
        listen: file.server.listen,
        grpc: match file.server.grpc {
            GrpcListen::Off => Grpc::Off,
            GrpcListen::At(address) => Grpc::At(address),
            GrpcListen::IfFree(address) => Grpc::IfFree(address),
        },
        database: file.server.database,
        series_dir: Some(place.state.join("series")),
        state_dir: Some(place.state.clone()),
        external_url: file.server.external_url,
        operators: vec![(Operator { name: "local".to_owned(), role: Role::Admin }, operator)],
        agents: vec![(AgentName::from("local"), agent)],
        environment,
        reread: Some(reread),
        secrets,
        variables,
        metrics: Metrics::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // Twenty expressions at once must leave some to take samples.
        .max_blocking_threads(32)
        .enable_all()
        .build()
        .context("could not start the runtime")?;
    let result = runtime.block_on(super::until_signal(|shutdown| ops_server::run(config, shutdown)));
    guard.shutdown();
    Ok(result?)
}
