//! Which of our secrets lie at a path of the store.

use std::collections::BTreeMap;

use ops_contract::{SecretSource, SecretSpec};

/// The secrets of the stack file that lie in OpenBao or Vault, by place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    namespace: String,
    /// By mount and path; the most dangerous first.
    secrets: BTreeMap<(String, String), Vec<Held>>,
}

/// A secret of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    tier: u8,
    pub(super) name: String,
    pub(super) field: String,
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// What was done to it: a word of an action.
    pub(super) verb: &'a str,
    /// The folder under the mount: `data`.
    pub(super) folder: &'a str,
    /// Our secrets there; empty for what is not in the inventory.
    pub(super) secrets: &'a [Held],
}

impl Places {
    pub(crate) fn new(specs: &BTreeMap<String, SecretSpec>, namespace: Option<&str>) -> Self {
        let namespace = namespace.unwrap_or_default();
        let mut secrets: BTreeMap<(String, String), Vec<Held>> = BTreeMap::new();
        for (name, spec) in specs {
            if let SecretSource::Vault { mount, path, field } = &spec.source {
                let place = (mount.trim_matches('/').to_owned(), path.trim_matches('/').to_owned());
                let held = Held { tier: spec.tier, name: name.clone(), field: field.clone() };
                secrets.entry(place).or_default().push(held);
            }
        }
        for held in secrets.values_mut() {
            held.sort_by(|a, b| (a.tier, &a.name).cmp(&(b.tier, &b.name)));
        }
        Self { namespace: namespace.trim_matches('/').to_owned(), secrets }
    }

    /// What a request with this operation at this path is about.
    pub(super) fn find<'a>(&'a self, namespace: &str, path: &'a str, operation: &'a str) -> Target<'a> {
        let nothing = Target { verb: operation, folder: "", secrets: &[] };
        if namespace != self.namespace {
            return nothing;
        }
        let found = self.secrets.iter().find_map(|((mount, place), held)| {
            let rest = path.strip_prefix(mount.as_str())?.strip_prefix('/')?;
            let (folder, rest) = rest.split_once('/')?;
            (rest == place).then_some((folder, held.as_slice()))
        });
        let Some((folder, secrets)) = found else { return nothing };
        match (folder, operation) {
            ("data", _) => Target { verb: operation, folder, secrets },
            ("delete" | "destroy", "create" | "update") | ("metadata", "delete") => {
                Target { verb: "delete", folder, secrets }
            }
            ("undelete", "create" | "update") => Target { verb: "undelete", folder, secrets },
            _ => nothing,
        }
    }
}
