//! The server as its neighbours know it: over HTTP, on a free port, with an agent that is played by the test.

mod access;
mod agent;
mod api;
mod control;
mod harness;
#[path = "../../src/testing.rs"]
mod testing;
