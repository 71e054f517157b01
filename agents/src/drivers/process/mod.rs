//! Processes of this machine, each under a shim of its own.
//!
//! The folder `run/` is the truth: what it says and `/proc` confirms is what runs, whichever agent started it. Nothing
//! is started while the slot's lock is held by a program that this agent does not know.

mod adopt;
mod launch;
mod port;
mod start;
mod stop;
mod watch;

pub(crate) use adopt::adopt_all;
pub(super) use start::{prepare, start};
pub(super) use stop::stop;
