//! `insightdesk env`: checks and explains the environment of the InsightDesk programs.

use std::path::PathBuf;

use anyhow::Context;
use ops_settings::{Environment, Report};

use crate::cli::Globals;
use crate::failure::{Failure, Kind, Result};
use crate::output;
use crate::place::Place;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Report every fault of the environment at once; never shows a secret
    #[command(
        after_help = "Exit code 78 when there are faults.\n\nExamples:\n  insightdesk env check                              this shell's variables over those of .env\n  insightdesk env check --file .env.production --environment production"
    )]
    Check(CheckArguments),
    /// Print a commented file with every variable
    #[command(
        after_help = "Examples:\n  insightdesk env example > .env.example\n  insightdesk env example --environment production"
    )]
    Example(ExampleArguments),
}

/// Arguments of `env check`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArguments {
    /// Check this file alone
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Check for this environment instead of NODE_ENV's
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment)]
    environment: Option<Environment>,
}

/// Arguments of `env example`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExampleArguments {
    /// For this environment
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment, default_value = "development")]
    environment: Environment,
}

pub(super) fn run(globals: &Globals, command: &Command) -> Result {
    match command {
        Command::Check(arguments) => check(globals, arguments),
        Command::Example(arguments) => {
            output::say(ops_settings::example(arguments.environment).trim_end());
            Ok(())
        }
    }
}

fn check(globals: &Globals, arguments: &CheckArguments) -> Result {
    let variables = match &arguments.file {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure::usage(format!("could not read {}: {error}", file.display())))?;
            read(&text)
        }
        None => shell_over_file(globals)?,
    };
    let report = match variables {
        Ok(variables) => ops_settings::check(variables, arguments.environment),
        Err(report) => report,
    };
    let text = if globals.json {
        serde_json::to_string_pretty(&report).context("could not write JSON")?
    } else {
        report.to_string()
    };
    output::say(text.trim_end());
    if report.is_good() { Ok(()) } else { Err(Failure::new(Kind::Environment, "")) }
}

type Variables = std::result::Result<Vec<(String, String)>, Report>;

/// What a program started from this shell would get: a variable of the shell wins.
fn shell_over_file(globals: &Globals) -> anyhow::Result<Variables> {
    let file = Place::find(globals)?.base.join(".env");
    let mut variables = match std::fs::read_to_string(&file) {
        Ok(text) => match read(&text) {
            Ok(variables) => variables,
            Err(report) => return Ok(Err(report)),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).with_context(|| format!("could not read {}", file.display())),
    };
    let known = |name: &str| ops_settings::VARIABLES.iter().any(|it| it.name == name);
    let shell = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    variables.extend(shell.filter(|(name, _)| known(name)));
    Ok(Ok(variables))
}

fn read(text: &str) -> Variables {
    ops_settings::read_env_file(text)
}

fn environment(text: &str) -> std::result::Result<Environment, String> {
    text.parse().map_err(|_| "one of development, test, staging, production".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn check_file(text: &str, environment: &str) -> Result {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        std::fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        let cli =
            Cli::parse_from(["insightdesk", "env", "check", "--file", file, "--environment", environment]);
        let crate::cli::Command::Env(command) = &cli.command else { panic!("not env") };
        run(&cli.globals, command)
    }

    #[test]
    fn a_good_file_is_exit_code_0() {
        let example = ops_settings::example(Environment::Development);
        assert!(check_file(&example, "development").is_ok());
    }

    #[test]
    fn a_bad_file_is_exit_code_78() {
        for text in ["PORT=many\n", "no equals sign\n", ""] {
            assert_eq!(check_file(text, "production").unwrap_err().kind, Kind::Environment, "{text}");
        }
    }

    #[test]
    fn a_missing_file_is_exit_code_2() {
        let cli = Cli::parse_from(["insightdesk", "env", "check", "--file", "/no/such/file"]);
        let crate::cli::Command::Env(command) = &cli.command else { panic!("not env") };
        assert_eq!(run(&cli.globals, command).unwrap_err().kind, Kind::Usage);
    }
}
