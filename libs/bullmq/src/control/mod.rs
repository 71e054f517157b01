//! What an operator does to a queue: pausing, limiting, clearing, and moving jobs by hand.
//!
//! Nothing here is unbounded: what touches many jobs does so in steps of [`STEP`] inside the server, up to a limit that the
//! caller names, and tells how many are left. It may be called again. It never looks for keys.
//!
//! `gate` holds workers back, `one` acts on one job, `many` on all jobs of a state, `list` and `glance` only look.

mod gate;
mod glance;
mod list;
mod many;
mod one;

pub use list::{Listed, Order, Page};
pub use many::{Drained, Swept};
pub use one::State;

/// The most jobs that one step inside the server touches, so that it stays short for everybody else.
const STEP: u64 = 1000;
