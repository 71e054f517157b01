//! What the three InsightDesk programs share: how they start, answer health checks, reach their stores and stop, and the words
//! (jobs, events, tokens) that they say to each other.
//!
//! It never knows a route, a socket or a mail; those are the programs'. To add a job or an event: a type in `jobs.rs` or
//! `events.rs`, so that both sides agree by compiling.

pub mod database;
pub mod events;
pub mod health;
pub mod jobs;
pub mod listen;
pub mod start;
pub mod tokens;
pub mod valkey;

pub use start::{Program, run};
