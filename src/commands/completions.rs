//! `insightdesk completions`: completion scripts.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::failure::Result;
use crate::output;

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  insightdesk completions bash > ~/.local/share/bash-completion/completions/insightdesk\n  insightdesk completions zsh > ~/.zfunc/_insightdesk\n  insightdesk completions fish > ~/.config/fish/completions/insightdesk.fish"
)]
pub(crate) struct Arguments {
    /// For which shell
    shell: clap_complete::Shell,
}

pub(super) fn run(arguments: &Arguments) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "insightdesk", &mut script);
    output::say(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}
