//! What `up` and `down` stand on: who runs, who holds which lock, how server and agent are kept alive and ended.
//!
//! Processes are told by [`Identity`] (pid, start and boot), never by pid alone. Nothing here plans or acts on
//! replicas, except [`slots`], which ends what is left when the control plane cannot.

pub(crate) mod files;
mod follow;
mod identity;
mod keeper;
mod lock;
pub(crate) mod ports;
mod ready;
pub(crate) mod secrets;
mod signals;
pub(crate) mod slots;
mod stop;
mod tail;
pub(crate) mod tokens;
mod up_file;

pub(crate) use follow::{Outcome, follow_until_ready, say_changes};
pub(crate) use identity::Identity;
pub(crate) use keeper::{Keeper, Keepers, open_log};
pub(crate) use lock::{Holder, Lock, holder};
pub(crate) use ready::Ready;
pub(crate) use signals::Signals;
pub(crate) use stop::{end_control, force, leftovers, stop_stack};
pub(crate) use tail::tail;
pub(crate) use up_file::UpFile;
