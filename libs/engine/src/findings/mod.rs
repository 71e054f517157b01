//! Unusual and unauthorised accesses: the rules R1 to R11 over the entries of the audit log.
//!
//! [`observe`] takes entries in the order of their number and remembers of each principal what it is used to, in
//! [`Habits`]; [`tick`] finds what only time shows: a silent device, a request without a response. Both are pure: the same
//! entries give the same findings and the same habits, so that habits are rebuilt by folding old entries again, or
//! kept as JSON. What is remembered has limits that no input can exceed ([`limits`]).
//!
//! One rule, one file. To add a rule: a file with what it remembers and how it judges, a line in `rules`, a row in
//! `docs/findings.md`. How an entry is read stands in `access` alone.

mod access;
mod canary;
mod counts;
mod denied;
mod departed;
mod device;
mod entitled;
mod first_network;
mod first_seen;
mod found;
mod habits;
mod hours;
pub mod limits;
mod network;
mod old_version;
mod principal;
mod reads;
mod recent;
mod root;
mod rules;
mod spread;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod token;
mod travel;
mod unused_role;
mod values;
mod volume;
mod world;

pub use found::merge;
pub use habits::Habits;
pub use reads::{ReadBy, last_reads, read_of};
pub use rules::{observe, tick};
pub use values::{Hash, ReadOf, Value, Values};
pub use world::{Deploy, World};
