//! `insightdesk`: runs the InsightDesk stack, and shows and steers what runs.
//!
//! One file per subcommand in [`commands`]. To add one: see there.

mod cli;
mod client;
mod commands;
mod control;
mod dev;
mod failure;
mod output;
mod place;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
