//! Telemetry against real receivers on free ports.

mod errors;
mod logs;
mod requests;
mod support;
mod traces;
