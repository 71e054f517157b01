//! How many replicas a service should have, and why.
//!
//! [`scale`] is pure: the same input and memory give the same decision and the same memory, live, in the simulator and in a
//! replay of a recorded day. It takes what was seen of the service's queues and replicas, and answers with a number, one
//! sentence, what held it back, and the figures it rests on.
//!
//! `queue` says what one queue needs, `usage` what processors and connections need; `decide` brings them together with the
//! bounds, the hold against swinging, and what must not be acted on: old data, a deploy, an operator's number.
//! The method and its figures are told in `docs/autoscaling.md`.

mod arrivals;
mod autoscaler;
mod decide;
mod hold;
mod input;
mod look;
mod need;
mod planned;
mod queue;
mod record;
mod run_time;
mod supply;
mod surprise;
mod usage;
mod words;
mod world;

pub use autoscaler::Autoscaler;
pub use decide::{ScaleMemory, ScaleOutcome, scale};
pub use input::{QueueInput, ReplicaUse, ScaleInput};
pub use look::QueueLook;
pub use record::{Mismatch, Recording};
pub use supply::Fleet;
pub use world::{ScaleWorld, StartTimes, scale_input};
