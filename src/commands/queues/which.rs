use ops_contract::{QueueView, QueuesView};
use url::Url;

use crate::client::Client;
use crate::failure::{Failure, Result};

/// A queue, by the names that the API knows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Which {
    pub(super) store: String,
    pub(super) queue: String,
}

impl Which {
    /// Reads `valkey.main/email`; for a bare `email` the stores are asked which of them has it.
    pub(super) async fn find(client: &Client, name: &str) -> Result<Self> {
        match named(name) {
            Some(which) => Ok(which),
            None => among(&client.get::<QueuesView>("/api/queues").await?, name),
        }
    }

    /// How it was last seen.
    pub(super) async fn look(&self, client: &Client) -> Result<QueueView> {
        let view: QueuesView = client.get("/api/queues").await?;
        let found = view.queues.into_iter().find(|it| it.store == self.store && it.name == self.queue);
        found.ok_or_else(|| {
            Failure::problems(format!(
                "{} has no queue {}: `insightdesk queues` lists them",
                self.store, self.queue
            ))
        })
    }

    /// The address of something of it, every part written so that it stays one part.
    pub(super) fn path(&self, parts: &[&str]) -> Result<String> {
        let mut url =
            Url::parse("http://control.plane").map_err(|error| Failure::usage(error.to_string()))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(["api", "queues", &self.store, &self.queue]).extend(parts);
        }
        // Parts of dots alone are dropped, and the address would be another one.
        match url.path().split('/').count() == parts.len() + 5 {
            true => Ok(url.path().to_owned()),
            false => Err(Failure::usage(format!("`{}` names no queue or job", self.queue))),
        }
    }
}

/// `valkey.main/email`, taken apart. The queue's own name may have a slash.
fn named(name: &str) -> Option<Which> {
    let (store, queue) = name.split_once('/')?;
    let fits = store.starts_with("valkey.") && !queue.is_empty();
    fits.then(|| Which { store: store.to_owned(), queue: queue.to_owned() })
}

fn among(view: &QueuesView, name: &str) -> Result<Which> {
    let found: Vec<&QueueView> = view.queues.iter().filter(|it| it.name == name).collect();
    match found[..] {
        [queue] => Ok(Which { store: queue.store.clone(), queue: queue.name.clone() }),
        [] => Err(Failure::usage(format!("there is no queue `{name}`: `insightdesk queues` lists them"))),
        _ => {
            let names: Vec<String> = found.iter().map(|it| format!("{}/{name}", it.store)).collect();
            Err(Failure::usage(format!("several stores have a queue `{name}`: write {}", names.join(" or "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn which(queue: &str) -> Which {
        Which { store: "valkey.main".to_owned(), queue: queue.to_owned() }
    }

    #[test]
    fn a_queue_may_be_named_with_its_store_and_may_have_any_name() {
        assert_eq!(named("valkey.main/email"), Some(which("email")));
        assert_eq!(named("valkey.main/a/b"), Some(which("a/b")));
        assert_eq!(named("email"), None);
        assert_eq!(named("mail/in"), None);
        assert_eq!(
            which("a/b c?").path(&["jobs", "1%"]).ok().as_deref(),
            Some("/api/queues/valkey.main/a%2Fb%20c%3F/jobs/1%25")
        );
        assert!(which("..").path(&["pause"]).is_err_and(|it| it.kind as u8 == 2));
        assert!(which("email").path(&["jobs", "."]).is_err());
    }
}
