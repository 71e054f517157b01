//! The discrete-event simulator behind `insightdesk scale replay`: arrivals of a trace, replicas that take time to start
//! and that drain before they stop, and any [`Policy`], ours or a published one.
//!
//! To add a policy: its file in `policies/`, one line in its `mod.rs`. To add a made-up trace: a row in `synthetic.rs`.

mod bound;
mod config;
mod outcome;
pub mod policies;
mod policy;
mod random;
pub mod read;
mod record;
mod replicas;
mod run;
mod scenario;
mod spread;
pub mod synthetic;
mod trace;

pub use bound::{bound, bound_over_time};
pub use config::Config;
pub use outcome::{Outcome, Point};
pub use policy::{Policy, Setting, View};
pub use random::{LogNormal, Random};
pub use run::run;
pub use scenario::{Scenario, Terms, Wishes};
pub use trace::{Job, Trace};
