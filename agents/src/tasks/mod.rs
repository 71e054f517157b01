//! One file per task. To add one: its file here, and a line in [`crate::run`].

mod heartbeat;

pub(crate) use heartbeat::Heartbeat;
