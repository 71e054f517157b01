//! Who waits for an agent's answer to a queue command. What jobs carry passes through here and is kept nowhere.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ops_contract::QueueReply;
use tokio::sync::oneshot;

/// Requests that may wait at once.
const MOST_WAITING: usize = 100;

/// Those who wait, by the command's id.
#[derive(Default)]
pub(crate) struct Answers(Mutex<BTreeMap<String, oneshot::Sender<QueueReply>>>);

impl Answers {
    /// Waits for the answer to a command; `None` when too many wait. Dropping the receiver ends it.
    pub(crate) fn expect(&self, id: &str) -> Option<oneshot::Receiver<QueueReply>> {
        let mut waiting = self.lock();
        waiting.retain(|_, it| !it.is_closed());
        if waiting.len() >= MOST_WAITING {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        waiting.insert(id.to_owned(), sender);
        Some(receiver)
    }

    /// Hands an answer to whoever waits for it, if anybody still does.
    pub(crate) fn give(&self, id: &str, reply: QueueReply) {
        if let Some(sender) = self.lock().remove(id) {
            let _ = sender.send(reply);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, oneshot::Sender<QueueReply>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
