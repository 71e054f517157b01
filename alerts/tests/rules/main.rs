//! The rule engine by a virtual clock, on a backend whose answers the test decides.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod files;
mod life;
mod no_data;
mod real;
mod reference;
mod restart;
mod world;
