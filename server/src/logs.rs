//! Relays of logs from agents to readers. A reader subscribes; the agent learns of it with its next lease and posts
//! chunks until the log ends or the reader has gone. Nothing is kept.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ops_contract::{AgentName, LogChunk, LogSubscription};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Chunks under way to one reader; a reader that is slower than this slows its agent.
const QUEUE: usize = 16;
/// Readers at once.
const MOST_READERS: usize = 100;

/// All readers.
#[derive(Default)]
pub(crate) struct Relay(Mutex<BTreeMap<String, Reader>>);

struct Reader {
    agent: AgentName,
    subscription: LogSubscription,
    /// The session that knows of it.
    told: Option<String>,
    chunks: mpsc::Sender<LogChunk>,
}

impl Relay {
    /// Registers a reader; `None` when there are too many. Dropping the receiver ends it.
    pub(crate) fn subscribe(
        &self,
        agent: AgentName,
        make: impl FnOnce(String) -> LogSubscription,
    ) -> Option<mpsc::Receiver<LogChunk>> {
        let mut readers = self.lock();
        readers.retain(|_, reader| !reader.chunks.is_closed());
        if readers.len() >= MOST_READERS {
            return None;
        }
        let id = Uuid::new_v4().to_string();
        let (chunks, receiver) = mpsc::channel(QUEUE);
        let subscription = make(id.clone());
        readers.insert(id, Reader { agent, subscription, told: None, chunks });
        Some(receiver)
    }

    /// What this session of the agent does not know yet.
    pub(crate) fn hand_out(&self, agent: &AgentName, session: &str) -> Vec<LogSubscription> {
        let mut readers = self.lock();
        readers.retain(|_, reader| !reader.chunks.is_closed());
        readers
            .values_mut()
            .filter(|reader| reader.agent == *agent && reader.told.as_deref() != Some(session))
            .map(|reader| {
                reader.told = Some(session.to_owned());
                reader.subscription.clone()
            })
            .collect()
    }

    /// Passes a chunk on; false when nobody reads.
    pub(crate) async fn pass(&self, agent: &AgentName, id: &str, chunk: LogChunk) -> bool {
        let Some(chunks) =
            self.lock().get(id).filter(|reader| reader.agent == *agent).map(|it| it.chunks.clone())
        else {
            return false;
        };
        let end = chunk.end;
        let read = chunks.send(chunk).await.is_ok();
        if end || !read {
            self.lock().remove(id);
        }
        read
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Reader>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
