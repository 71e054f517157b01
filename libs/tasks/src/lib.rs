//! Background work: everything in a program that loops, waits or must be restarted.
//!
//! A [`Task`] takes no input. It reads the world, compares it with what is wanted and moves it a step closer,
//! so a missed or a repeated run is harmless. A *service* is one long-running future (a long poll, a
//! subscription) that is started again when it fails. The [`Supervisor`] owns every loop: it runs each task one
//! run at a time, survives errors and panics, publishes a [`TaskStatus`], and stops them all within a grace
//! period.
//!
//! This crate never knows what a task is about, and no loop stands outside it.
//!
//! To add a task: implement [`Task`] in the `tasks/` folder of your program, one file per task, and spawn it
//! in that folder's `mod.rs`. Use [`Supervisor::spawn_service`] only where work cannot be cut into passes.

mod activator;
mod service;
mod signal;
mod status;
mod supervisor;
mod task;

pub use activator::Activator;
pub use service::{Backoff, ServiceHandle};
pub use signal::cancel_on_signal;
pub use status::{LastRun, Outcome, Reason, TaskKind, TaskStatus};
pub use supervisor::{Stopped, Supervisor};
pub use task::Task;
