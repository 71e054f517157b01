//! Reads the stack file `insightdesk.toml` and reports all its faults together, each with line, column, key and fix.
//!
//! It reads the file and looks for programs; it never starts anything, never reads a secret's value and never
//! changes the file. To add a key: its section's file under `sections/`, a line in `keys.rs`, and its words in
//! `docs/stack-file.md` (a test compares them).

mod fault;
mod file;
mod hash;

pub use fault::{Fault, report};
pub use file::{Context, ServerSection, StackFile, load, parse};
pub use hash::stack_hash;
