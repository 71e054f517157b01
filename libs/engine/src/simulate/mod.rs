//! The discrete-event simulator behind `insightdesk scale replay`: arrivals of a trace, replicas that take time to start
//! and that drain before they stop, and any [`Policy`], ours or a published one.
//!
//! To add a policy: its file in `policies/`, one line in its `mod.rs`.

mod policy;

pub use policy::{Policy, Setting, View};
