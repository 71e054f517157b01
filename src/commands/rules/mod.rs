//! `insightdesk rules`: rule files checked and tested without a server; the rules of a server and whether they work.

mod check;
mod files;
mod list;
mod test;

use crate::cli::Globals;
use crate::failure::Result;

/// What to do with rules.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Check rule files: every fault at once, with its line and how to mend it; asks no server
    Check(check::Arguments),
    /// Run unit tests of rules, in promtool's format; asks no server
    Test(test::Arguments),
    /// List the rules of the server, and whether each of them works
    List(list::Arguments),
}

pub(super) fn run(globals: &Globals, command: &Command) -> Result {
    match command {
        Command::Check(arguments) => check::run(globals, arguments),
        Command::Test(arguments) => test::run(globals, arguments),
        Command::List(arguments) => super::block_on(list::run(globals, arguments)),
    }
}
