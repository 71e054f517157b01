//! The agent against real programs, and a stand-in for the server that speaks its real protocol.
//!
//! To add a scenario: a function in the file of its subject. Everything a scenario starts is stopped by its `World`.

#![expect(clippy::unwrap_used, reason = "a scenario fails by panicking")]

mod balancer;
mod dependencies;
mod evidence;
mod health;
mod logs;
mod queue_commands;
mod queues;
mod samples;
mod scrape;
mod secrets;
mod server;
mod start_stop;
mod survival;
mod world;
