//! Attacks on a log, each by its name, and rubbish for everything that reads.
#![allow(clippy::unwrap_used, missing_docs)]

mod attacks_on_entries;
mod attacks_on_seals;
mod attacks_on_the_whole;
mod clean;
mod format;
mod log;
mod receipts;
mod rubbish;
