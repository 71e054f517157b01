//! End-to-end scenarios, one binary. To add one: write its file, then name it here.
#![allow(clippy::unwrap_used, reason = "a scenario that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "what was left out is to be seen")]

mod alertmanager;
mod alerts;
mod amtool;
mod architecture;
mod canary;
mod handouts;
mod nothing_lost;
mod page;
mod paging;
mod people;
mod prometheus;
mod queue_commands;
mod refusals;
mod renewal;
mod rules;
mod scaling;
mod sinks;
mod supervision;
mod survival;
mod tickets;
mod toys;
