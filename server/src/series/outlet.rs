use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use ops_samples::{Labels, Sample};

use super::queue::Queue;

/// Most bytes that wait for a receiver; the oldest go first.
const MOST_BYTES: u64 = 256 << 20;

/// Where samples leave to one receiver, and how much did.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) url: String,
    /// The address without user, password and parameters, for metrics and logs.
    pub(crate) name: String,
    pub(crate) queue: Queue,
    /// Samples.
    pub(crate) sent: AtomicU64,
    /// Samples that the receiver did not want.
    pub(crate) refused: AtomicU64,
    /// Requests that are to be tried again.
    pub(crate) failures: AtomicU64,
    /// Samples that could not be put into the queue.
    pub(crate) lost: AtomicU64,
}

impl Outlet {
    /// Opens the queue of `url` in a folder of its own below `folder`.
    pub(crate) fn open(folder: &Path, url: &str) -> anyhow::Result<Self> {
        let name = name(url);
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        // Two addresses may come to the same letters.
        let sum = Labels::new([("url", url)])?.fingerprint();
        let start: String = name.chars().map(plain).take(60).collect();
        let queue = Queue::open(&folder.join(format!("{start}-{sum:016x}")), MOST_BYTES)?;
        let none = AtomicU64::default;
        Ok(Self {
            url: url.to_owned(),
            name,
            queue,
            sent: none(),
            refused: none(),
            failures: none(),
            lost: none(),
        })
    }

    /// Puts samples into the queue.
    pub(crate) fn push(&self, samples: &[(Labels, Sample)]) {
        if let Err(error) = self.queue.push(samples)
            && self.lost.fetch_add(samples.len() as u64, Ordering::Relaxed) == 0
        {
            tracing::error!(receiver = self.name, %error, "samples cannot be kept for their receiver");
        }
    }
}

fn name(url: &str) -> String {
    let Ok(parsed) = url::Url::parse(url) else { return "unknown".to_owned() };
    let port = parsed.port().map(|it| format!(":{it}")).unwrap_or_default();
    format!("{}{port}{}", parsed.host_str().unwrap_or_default(), parsed.path())
}
