//! The command line: what can be said, and the words that teach it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands;
use crate::dev;

const EXAMPLES: &str = "\
Examples:
  insightdesk up                      start the whole stack; Ctrl-C stops it in order
  insightdesk up --detach             start it in the background, print its addresses as JSON
  insightdesk status                  what is broken, since when, why, and what changed
  insightdesk logs api/0 -f           follow one replica's log
  insightdesk restart api             restart each replica of api in turn, drained
  insightdesk down                    stop everything in order

Exit codes: 0 good, 1 found problems, 2 used wrongly, 3 could not reach the control plane, 78 bad environment.";

/// Runs, watches, scales and explains the InsightDesk stack.
#[derive(Debug, Parser)]
#[command(name = "insightdesk", version, after_help = EXAMPLES, max_term_width = 110, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub(crate) globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Globals {
    /// Print JSON instead of words and tables
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Address of the control plane [default: the one of this folder]
    #[arg(long, global = true, env = "INSIGHTDESK_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Operator token; better given by the variable, which other users cannot see
    #[arg(long, global = true, env = "INSIGHTDESK_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// The stack file [default: the nearest insightdesk.toml, here or in a folder above]
    #[arg(long, global = true, env = "INSIGHTDESK_STACK", hide_env_values = true, value_name = "FILE")]
    pub(crate) stack: Option<PathBuf>,
    /// The state folder [default: .insightdesk beside the stack file]
    #[arg(long, global = true, env = "INSIGHTDESK_STATE_DIR", hide_env_values = true, value_name = "FOLDER")]
    pub(crate) state_dir: Option<PathBuf>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the whole stack under its control plane
    Up(commands::up::Arguments),
    /// Stop everything in order
    Down(commands::down::Arguments),
    /// Run the control plane's server
    Server(commands::server::Arguments),
    /// Run the agent, which starts, watches and stops the replicas of this machine
    Agent(commands::agent::Arguments),
    /// Say what is broken, since when, why, and what changed
    Status(commands::status::Arguments),
    /// List every replica: state, process, port, use
    Services(commands::services::Arguments),
    /// Read the log of a service or of one replica
    Logs(commands::logs::Arguments),
    /// Restart a service, one replica at a time, or one replica; drained
    Restart(commands::restart::Arguments),
    /// Set how many replicas of a service are wanted, or compare ways of deciding it
    Scale(commands::scale::Arguments),
    /// List the queues; pause, resume, retry, drain and promote them; look at their jobs
    Queues(commands::queues::Arguments),
    /// Say what an expression gives, now or over a while
    Query(commands::query::Arguments),
    /// Check and test rule files without a server; list the rules of this one
    #[command(subcommand)]
    Rules(commands::rules::Command),
    /// List what fires; say that you look after it
    #[command(subcommand)]
    Alerts(commands::alerts::Command),
    /// List what is broken, and who looks after it
    Incidents(commands::incidents::Arguments),
    /// List secrets and when they are to be renewed; read and set values, on the record
    #[command(subcommand)]
    Secrets(commands::secrets::Command),
    /// Show, verify and export the record of who did what and who read which secret
    #[command(subcommand)]
    Audit(commands::audit::Command),
    /// Send a test page to those who are to be told
    #[command(subcommand)]
    Receivers(commands::receivers::Command),
    /// Mute alerts for a while; list and end what is muted
    #[command(subcommand)]
    Silence(commands::silence::Command),
    /// Check or explain the environment of the InsightDesk programs
    #[command(subcommand)]
    Env(commands::env::Command),
    /// Make a one-time sign-in link, or an operator token
    Login(commands::login::Arguments),
    /// Check this machine and the running stack; say how to mend what is wrong
    Doctor(commands::doctor::Arguments),
    /// Check the stack file
    #[command(subcommand)]
    Stack(commands::stack::Command),
    /// Print a shell's completion script
    Completions(commands::completions::Arguments),
    /// Become a development data store (the stack does this by itself)
    #[command(subcommand, hide = true)]
    Dev(dev::Store),
    /// Print this reference as Markdown
    #[command(hide = true)]
    Reference,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_of_every_command_may_stand_after_it() {
        let cli = parse("insightdesk services --json --url http://127.0.0.1:1").unwrap();
        assert!(cli.globals.json);
        assert_eq!(cli.globals.url.as_deref(), Some("http://127.0.0.1:1"));
    }

    #[test]
    fn a_wrong_command_line_is_exit_code_2() {
        for line in [
            "insightdesk frobnicate",
            "insightdesk scale api",
            "insightdesk scale api many",
            "insightdesk scale api 3 replay a.csv",
            "insightdesk scale replay --synthetic weather",
            "insightdesk scale replay a.csv --target-wait 0s",
            "insightdesk logs",
            "insightdesk queues retry",
            "insightdesk queues retry email --limit 0",
            "insightdesk queues jobs email --state lost",
            "insightdesk queues obliterate email",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn previous_and_generation_exclude_each_other() {
        assert!(parse("insightdesk logs api/0 --previous --generation 3").is_err());
        assert!(parse("insightdesk logs api/0 -f -n 10").is_ok());
    }

    #[test]
    fn scale_takes_a_service_or_a_subcommand() {
        for line in [
            "insightdesk scale worker 3",
            "insightdesk scale worker 3 --reason busy",
            "insightdesk --json scale replay a.csv b.csv --synthetic step,batch --seed 1,2",
            "insightdesk scale replay --all-synthetic --json --target-wait 500ms --policy keda,fixed-3",
        ] {
            assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
        }
    }

    #[test]
    fn every_subcommand_says_what_it_is_for() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{} has no help", command.get_name());
        }
    }
}
