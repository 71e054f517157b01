//! What every program tells about itself: logs, traces, errors and metrics.
//!
//! [`init`] installs all of it and returns a [`Guard`] that flushes at the end. Nothing here ever blocks the
//! program: queues are bounded, what does not fit is dropped, and shutdown has a deadline. Request bodies,
//! credentials and the values of the secrets in [`Config::secrets`] never leave the process.
//!
//! This crate alone knows OpenTelemetry and Sentry. It reads the environment in one place
//! ([`Config::from_env`]) and knows nothing of the domain.
//!
//! To add a metric: register it where it is owned, through [`Metrics::with`]. To add a sink: a file here that
//! makes a layer, and a line in `init.rs`.

mod config;
mod errors;
pub mod http;
mod init;
mod level;
mod logs;
mod metrics;
pub mod propagation;
mod scrub;
mod traces;

pub use config::{Config, LogFormat, LogOutput};
pub use init::{Guard, init};
pub use metrics::{Metrics, metrics_response};

/// The Prometheus registry types, so that owners of metrics need no second dependency line.
pub use prometheus_client;
