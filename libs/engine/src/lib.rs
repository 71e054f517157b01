//! Decides, never acts.
//!
//! [`fold`] turns signals into the [`SystemState`](ops_contract::SystemState), [`judge`] says how each service and
//! store does and what has gone silent, [`plan`] compares what is with what should be, [`explain`] says it in one
//! sentence. All are pure: no I/O, no clock (`now` is an argument), no memory; same input, same output.
//!
//! [`findings`] tells unusual and unauthorised accesses from the audit log, [`secrets`] how each secret stands and what is to
//! be renewed when somebody leaves. What must be remembered between two calls is the caller's, and passed in.
//!
//! To add a judgement: one file, called from [`judge`]. To add a reason to act: one arm in `slot`.

mod dependencies;
mod explain;
mod facts;
pub mod findings;
mod fold;
mod judge;
mod plan;
mod queue_judge;
mod queue_words;
mod queues;
mod restart;
mod rolling;
pub mod scale;
mod scaling;
pub mod secrets;
pub mod simulate;
mod slot;
mod slots;
#[cfg(test)]
mod testing;
mod words;

pub use explain::explain;
pub use facts::{Facts, Intent, PastExit, Rolling};
pub use fold::fold;
pub use judge::{STALE_AFTER, Transition, desired, judge};
pub use plan::{Plan, SlotVerdict, apply, plan};
pub use queue_judge::{QUEUES_STALE_AFTER, queues_fresh, queues_view};
pub use scaling::{current, scaling_signal};
pub use slots::wanted_replicas;
