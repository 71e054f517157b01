//! Rules: read from Prometheus rule files, and evaluated without I/O and without a clock (`now_ms` is an argument).
//!
//! [`RuleFile`] and [`RuleSet`] are what stands in the files. [`Engine`] says what is due, takes what was found, and tells
//! what changes ([`Step`]); its caller stores that and only then has it count.

mod backend;
mod duration;
mod engine;
mod fault;
mod file;
mod identity;
mod inputs;
mod job;
mod plan;
mod rule;
mod schedule;
mod series;
mod set;
mod simulation;
mod state;
mod step;
mod unhealthy;
mod view;

pub use backend::{Backend, Life, Local};
pub(crate) use duration::parse as parse_duration;
pub use engine::Engine;
pub use fault::Fault;
pub use file::RuleFile;
pub use identity::alert_id;
pub use job::{Found, Job, Outcome};
pub use rule::{Group, Rule, RuleAction};
pub use set::{RuleSet, Settings};
pub use simulation::Simulation;
pub use step::{Step, Transition};
