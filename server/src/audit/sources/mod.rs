//! Other systems that tell of accesses: each of their entries becomes one of ours, so that it cannot be changed any more, and
//! is judged with the others.
//!
//! One file per kind: `vault_http` is the receiving end of an `http` device of OpenBao or Vault, `vault_file` follows the file
//! of a `file` device, `cloudtrail` reads files of AWS. `vault_devices` watches which devices the store has. What their
//! lines mean is said in `devices`, and nowhere else.
//!
//! To add a kind: a file here, a variant of `ops_contract::AuditSourceSpec`.

pub(crate) mod cloudtrail;
mod devices;
pub(crate) mod vault_devices;
pub(crate) mod vault_file;
pub(crate) mod vault_http;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use ops_contract::{AuditSourceSpec, Stack};

use devices::Places;

/// The sources of the stack file, and what became of what they told.
pub(crate) struct Sources {
    places: Places,
    by_name: BTreeMap<String, Source>,
    watch: vault_devices::Watch,
}

/// One of them.
pub(crate) struct Source {
    pub(crate) spec: AuditSourceSpec,
    tokens: vault_http::Tokens,
    pub(crate) counts: Counts,
}

/// How much a source told since the server started.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Lines that are in the log.
    taken: AtomicU64,
    /// Lines that could not be recorded: the store was told, and refuses what was asked if nobody else recorded it.
    refused: AtomicU64,
    /// What was no line of a device.
    rubbish: AtomicU64,
    /// Lines with values in clear, of which nothing was taken over.
    in_clear: AtomicU64,
}

impl Sources {
    pub(crate) fn new(stack: &Stack) -> Self {
        let source = |spec: &AuditSourceSpec| Source {
            spec: spec.clone(),
            tokens: vault_http::Tokens::default(),
            counts: Counts::default(),
        };
        let sources = stack.audit.sources.iter().map(|(name, spec)| (name.clone(), source(spec)));
        let namespace = stack.secret_stores.vault.as_ref().and_then(|it| it.namespace.as_deref());
        Self {
            places: Places::new(&stack.secrets, namespace),
            by_name: sources.collect(),
            watch: vault_devices::Watch::new(stack),
        }
    }

    /// The vault whose devices are watched, and how many it has; the number is missing while it does not say.
    pub(crate) fn vault_devices(&self) -> Option<(String, Option<usize>)> {
        self.watch.now()
    }

    /// How much each told: taken, refused, rubbish, in clear.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&str, [u64; 4])> {
        self.by_name.iter().map(|(name, it)| (name.as_str(), it.counts.read()))
    }
}

impl Counts {
    fn read(&self) -> [u64; 4] {
        [&self.taken, &self.refused, &self.rubbish, &self.in_clear].map(|it| it.load(Ordering::Relaxed))
    }
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
