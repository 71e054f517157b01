//! The InsightDesk environment: every variable, what it means, its type, default, secrecy and who needs it.
//!
//! [`VARIABLES`] is the one table; parsing, checking and the example file are read from it. All faults are
//! reported at once, each with what was wrong, what is expected and the fix, and never with a secret's value.
//! A program that cannot run on its environment prints the [`Report`] and exits with [`EXIT_CODE`].
//!
//! This crate reads the environment in one place ([`Settings::from_env`]) and never logs.
//!
//! To add a variable: one row in `table.rs`, one field in `settings.rs`, one line in `assemble.rs`. A rule that
//! spans several variables goes to `rules.rs`.

mod assemble;
mod check;
mod env_file;
mod environment;
mod example;
mod kind;
mod lookalike;
mod report;
mod rules;
mod settings;
mod span;
mod table;
mod variable;

pub use check::check;
pub use env_file::read_env_file;
pub use environment::Environment;
pub use example::example;
pub use kind::Kind;
pub use report::{Fault, Report};
pub use settings::{
    Application, Auth, Cloudinary, Database, Email, Features, LogFormat, Logging, RateLimit, S3, Settings,
    Smtp, Storage, Telemetry, Valkey,
};
pub use table::VARIABLES;
pub use variable::{Need, Section, Variable};

/// Exit code of a program whose environment or configuration is wrong (`EX_CONFIG`); restarting cannot help.
pub const EXIT_CODE: u8 = 78;
