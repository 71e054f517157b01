//! The server as its neighbours know it: over HTTP, on a free port, with an agent that is played by the test.

#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod access;
mod ack;
mod agent;
mod alertmanager;
mod api;
mod audit;
mod audit_attacks;
mod audit_devices;
mod authorisation;
mod control;
mod departed;
mod findings;
mod harness;
mod prometheus;
mod push;
mod queue_commands;
mod queue_refusals;
mod queues_and_scaling;
mod real_prometheus;
mod renewal;
mod sending;
#[path = "../../src/testing.rs"]
mod testing;
