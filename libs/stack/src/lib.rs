//! Reads the stack file `insightdesk.toml` and reports all its faults together, each with line, column, key and fix.
//!
//! It reads the file and looks for programs and folders; it never starts anything, never reads a secret's value and
//! never changes the file. A key that would do nothing is a fault, not a comment.
//!
//! The way through: `file` reads the text, `sections/` read one section each into a draft, `check` compares the drafts
//! with each other, `substitute` puts `${…}` in, `expand` turns the development stores into services. To add a key:
//! the section's file under `sections/`, a word in `keys.rs`, and its line in `docs/stack-file.md` (a test compares them).

mod check;
mod duration;
mod expand;
mod fault;
mod file;
mod files;
mod hash;
mod keys;
mod nearest;
mod observe;
mod programs;
mod prometheus;
mod reader;
mod scrape;
mod section;
mod sections;
mod shell;
mod substitute;
mod web;

pub use fault::{Fault, report};
pub use file::{Context, GrpcListen, ServerSection, StackFile, load, parse};
pub use hash::stack_hash;
pub use keys::{KEYS, LATER};
