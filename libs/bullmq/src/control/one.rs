//! Acting on one job by hand.

use std::time::Duration;

use crate::{Error, LOWEST_PRIORITY, Queue, options::millis};

/// The most children that are removed with a job in one step.
const MOST_CHILDREN: u64 = 1000;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// In line.
    Waiting,
    /// In line, while the queue is paused.
    Paused,
    /// In line by priority.
    Prioritized,
    /// Not due yet.
    Delayed,
    /// Being worked on.
    Active,
    /// Completed and kept.
    Completed,
    /// Failed and kept.
    Failed,
    /// Waiting for the children of its flow.
    WaitingChildren,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Paused,
        Self::Prioritized,
        Self::Delayed,
        Self::Active,
        Self::Completed,
        Self::Failed,
        Self::WaitingChildren,
    ];

    /// The name of its key, after the queue's.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Waiting => "wait",
            Self::Paused => "paused",
            Self::Prioritized => "prioritized",
            Self::Delayed => "delayed",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::WaitingChildren => "waiting-children",
        }
    }

    /// What kind of key it is, in the scripts' words.
    pub(crate) fn shape(self) -> &'static str {
        match self {
            Self::Waiting | Self::Paused | Self::Active => "list",
            _ => "set",
        }
    }
}

impl Queue {
    /// Where a job stands; nothing when it is in no state.
    pub async fn state(&self, id: &str) -> Result<Option<State>, Error> {
        let mut call = self.script(&self.client().scripts().state);
        call.arg(id);
        let key: String = self.client().run(&call).await?;
        Ok(State::ALL.into_iter().find(|state| state.key() == key))
    }

    /// Lets a delayed job run now. Tells whether it was delayed.
    pub async fn promote(&self, id: &str) -> Result<bool, Error> {
        let mut call = self.script(&self.client().scripts().promote);
        call.arg("").arg(id);
        Ok(self.client().run::<u64>(&call).await? == 1)
    }

    /// Lets a delayed job wait for so long from now.
    pub async fn set_delay(&self, id: &str, delay: Duration) -> Result<(), Error> {
        self.adjust(id, "delay", millis(delay)).await
    }

    /// Gives a job another priority, 0 for none; where it is in line already it moves.
    pub async fn set_priority(&self, id: &str, priority: u32) -> Result<(), Error> {
        if priority > LOWEST_PRIORITY {
            return Err(Error::Option(format!("the priority is greater than {LOWEST_PRIORITY}")));
        }
        self.adjust(id, "priority", u64::from(priority)).await
    }

    /// Puts a failed job back in line for one more attempt. Its attempts are counted on.
    pub async fn retry(&self, id: &str) -> Result<(), Error> {
        self.run_again(id, State::Failed).await
    }

    /// Puts a completed job back in line.
    pub async fn repeat(&self, id: &str) -> Result<(), Error> {
        self.run_again(id, State::Completed).await
    }

    /// Removes a job and the children of its flow, wherever they stand. Tells whether it was there.
    ///
    /// All or nothing: refused while a worker holds it or a child, for a scheduler's next job, and beyond a thousand children.
    pub async fn remove(&self, id: &str) -> Result<bool, Error> {
        let mut call = self.script(&self.client().scripts().remove);
        call.arg(id).arg(MOST_CHILDREN);
        let refuse = |why: &'static str| Err(Error::Refused { id: id.to_owned(), why });
        match self.client().run::<i64>(&call).await? {
            -2 => refuse("a worker holds it or one of its children"),
            -8 => refuse("it is the next job of a scheduler"),
            -20 => refuse("it has more than 1000 children"),
            found => Ok(found == 1),
        }
    }

    async fn adjust(&self, id: &str, what: &str, value: u64) -> Result<(), Error> {
        let mut call = self.script(&self.client().scripts().adjust);
        call.arg(id).arg(what).arg(value);
        match self.client().run::<i64>(&call).await? {
            -1 => Err(Error::Missing(id.to_owned())),
            -3 => Err(Error::Refused { id: id.to_owned(), why: "it is not delayed" }),
            _ => Ok(()),
        }
    }

    async fn run_again(&self, id: &str, from: State) -> Result<(), Error> {
        let mut call = self.script(&self.client().scripts().run_again);
        call.arg(from.key()).arg("").arg(id);
        match self.client().run::<(i64, i64)>(&call).await?.0 {
            -1 => Err(Error::Missing(id.to_owned())),
            -3 => Err(Error::Refused {
                id: id.to_owned(),
                why: if from == State::Failed { "it is not failed" } else { "it is not completed" },
            }),
            _ => Ok(()),
        }
    }
}
