//! `insightdesk up`: starts the stack, keeps the control plane running, stops all in order.
//!
//! In the foreground it does so itself; with `--detach` a copy of it does, as a daemon, and this one waits until all is
//! ready. Killing either harms nothing: what runs goes on, and the next `up` adopts it.

mod detach;
mod preflight;
mod summary;
mod supervise;

use ops_stack::StackFile;

use super::stack;
use crate::cli::Globals;
use crate::failure::Result;
use crate::place::Place;

pub(super) use supervise::{shut_down, wait_for_server};

/// Arguments of `up`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Ctrl-C stops everything in order; a second one by force. A killed `up` leaves all running: start it again to\nadopt it, or stop it with `insightdesk down`.\n\nExamples:\n  insightdesk up\n  insightdesk up --detach | jq -r .login_url\n  insightdesk up --stack other.toml"
)]
pub(crate) struct Arguments {
    /// Return when all is ready; print the addresses as JSON
    #[arg(long, conflicts_with = "supervise")]
    detach: bool,
    /// Be the daemon behind --detach
    #[arg(long, hide = true)]
    supervise: bool,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Result {
    if arguments.supervise {
        super::leave_session(true);
    }
    let place = Place::find(globals)?;
    let file = stack::load(&place, globals.json)?;
    super::block_on(async {
        match (arguments.detach, arguments.supervise) {
            (true, _) => detach::run(&place, &file).await,
            (false, true) => supervise::in_background(&place, &file).await,
            (false, false) => supervise::in_foreground(&place, &file, globals.json).await,
        }
    })
}

/// The address under which this machine reaches the server.
fn server_url(file: &StackFile) -> String {
    let mut address = file.server.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}")
}
