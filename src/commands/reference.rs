//! `insightdesk reference`: the command line as Markdown, checked in at `docs/cli.md`.

use std::fmt::Write;

use clap::{Arg, Command, CommandFactory};

use crate::cli::Cli;
use crate::failure::Result;
use crate::output;

pub(super) fn run() -> Result {
    output::say(text().trim_end());
    Ok(())
}

fn text() -> String {
    let mut command = Cli::command();
    command.build();
    let mut text = String::from("# The command line\n\nWritten by `cargo xtask reference`; do not edit.\n");
    let _ = write!(text, "\n{}\n\n```text\n{}\n```\n", about(&command), after(&command));
    text.push_str("\n## Options of every command\n\n");
    options(&mut text, command.get_arguments().filter(|it| it.is_global_set()));
    section(&mut text, &command, "insightdesk");
    text
}

fn section(text: &mut String, command: &Command, path: &str) {
    for sub in command.get_subcommands().filter(|it| !it.is_hide_set() && it.get_name() != "help") {
        let path = format!("{path} {}", sub.get_name());
        let mut usage = path.clone();
        for argument in sub.get_positionals() {
            let _ = write!(usage, " {argument}");
        }
        let own: Vec<&Arg> = sub.get_arguments().filter(|it| shown(it)).collect();
        if own.iter().any(|it| !it.is_positional()) {
            usage.push_str(" [options]");
        }
        if sub.is_args_conflicts_with_subcommands_set() {
            let _ = write!(usage, "\n{path} <command>");
        } else if sub.has_subcommands() {
            usage.push_str(" <command>");
        }
        let _ = write!(text, "\n## {path}\n\n{}.\n\n```text\n{usage}\n```\n", about(sub));
        if !own.is_empty() {
            text.push('\n');
            options(text, own.into_iter());
        }
        let after = after(sub);
        if !after.is_empty() {
            let _ = write!(text, "\n```text\n{after}\n```\n");
        }
        section(text, sub, &path);
    }
}

fn options<'a>(text: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    text.push_str("| option | meaning |\n| --- | --- |\n");
    for argument in arguments {
        let mut name = argument.to_string();
        if let (Some(short), Some(long)) = (argument.get_short(), argument.get_long()) {
            name = name.replacen(&format!("--{long}"), &format!("-{short}, --{long}"), 1);
        }
        let mut meaning = argument.get_help().map(ToString::to_string).unwrap_or_default();
        if let Some(variable) = argument.get_env() {
            let _ = write!(meaning, "; or the variable `{}`", variable.to_string_lossy());
        }
        let values: Vec<String> = argument
            .get_possible_values()
            .iter()
            .filter(|_| argument.get_action().takes_values())
            .map(|it| format!("`{}`", it.get_name()))
            .collect();
        if !values.is_empty() {
            let _ = write!(meaning, " (one of {})", values.join(", "));
        }
        let defaults: Vec<_> = argument.get_default_values().iter().map(|it| it.to_string_lossy()).collect();
        if argument.get_action().takes_values() && !defaults.is_empty() {
            let _ = write!(meaning, " (default {})", defaults.join(" "));
        }
        let _ = writeln!(text, "| `{name}` | {} |", meaning.replace('|', "\\|"));
    }
}

fn shown(argument: &Arg) -> bool {
    !argument.is_global_set()
        && !argument.is_hide_set()
        && !matches!(argument.get_id().as_str(), "help" | "version")
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn after(command: &Command) -> String {
    command.get_after_help().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_reference_is_up_to_date() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
        let checked_in = std::fs::read_to_string(file).unwrap_or_default();
        assert!(
            checked_in.trim_end() == text().trim_end(),
            "docs/cli.md is out of date: run `cargo xtask reference`"
        );
    }
}
