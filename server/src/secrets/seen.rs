//! What audit devices of OpenBao or Vault show of our secrets' values without showing them: whether a new version is another value,
//! whether one value lies at two places, and who of the declared consumers has read which version.

use std::collections::{BTreeMap, BTreeSet};

use ops_contract::{FindingsSpec, SecretSource, SecretSpec};
use ops_engine::findings::{Habits, Values, World, observe};
use ops_engine::secrets::SecretFacts;

use crate::App;
use crate::audit::entry_view;
use crate::store::{self, audit as table};

/// Entries of one secret that are looked through, newest first.
const ENTRIES: u32 = 500;
/// What login methods put before a person's name.
const PEOPLE: [&str; 8] =
    ["userpass-", "ldap-", "oidc-", "github-", "okta-", "radius-", "kerberos-", "saml-"];

/// What is seen of all secrets.
#[derive(Default)]
pub(super) struct Seen {
    values: Values,
    /// How many fields there are at a secret's place, as the devices show it.
    fields: BTreeMap<String, usize>,
    /// Secrets that lie at the same place.
    together: BTreeMap<String, Vec<String>>,
}

/// Looks through the entries of devices about secrets that lie in a vault.
pub(super) async fn look(app: &App) -> store::Result<Seen> {
    let mut seen = Seen { together: together(&app.stack.secrets), ..Seen::default() };
    let mut entries = BTreeMap::new();
    for name in seen.together.keys() {
        let wanted =
            table::Wanted { action: "vault", subject: name, outcome: "allowed", ..Default::default() };
        let mut db = app.store.connection().await?;
        let rows = table::newest(&mut db, &wanted, ENTRIES).await?;
        drop(db);
        entries.extend(rows.iter().filter_map(table::Row::entry).map(|it| (it.seq, entry_view(&it))));
    }
    let (specs, nobody, nobody_left) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let spec = FindingsSpec { off: (1..=11).map(|it| format!("R{it}")).collect(), ..FindingsSpec::default() };
    let world =
        World { secrets: &specs, consumers: &nobody, departed: &nobody_left, deploys: None, spec: &spec };
    let mut habits = Habits::default();
    for entry in entries.values() {
        observe(&mut habits, entry, &world);
        if let Some(fields) = entry.details.get("fields").and_then(|it| it.parse().ok()) {
            seen.fields.insert(entry.subject.clone(), fields);
        }
    }
    seen.values = habits.values().clone();
    Ok(seen)
}

impl Seen {
    /// Corrects what a store says of versions by what is known of values: a new version of a place may hold the old value of this
    /// field. `version` is the newest of the store.
    pub(super) fn correct(&self, name: &str, version: Option<&str>, facts: &mut SecretFacts) {
        let Some(value) = self.values.of(name) else { return };
        let newest = version.and_then(|it| it.parse::<u64>().ok());
        if value.hashes.is_empty()
            || value.version.is_none()
            || newest.is_some_and(|it| Some(it) != value.version)
        {
            return;
        }
        let changed = value.changed_at.zip(value.changed_seq);
        let evidence = changed.map(|(_, seq)| format!("another value, audit entry {seq}"));
        if value.is_same {
            facts.same_value |= self.is_whole(name);
            facts.rotated_at = value.changed_at;
            facts.evidence = evidence;
        } else if let Some((at, _)) = changed {
            facts.rotated_at = facts.rotated_at.or(Some(at));
            facts.evidence = evidence;
        }
    }

    /// Whether nothing else at the secret's place was changed with the newest version: then it was meant.
    fn is_whole(&self, name: &str) -> bool {
        let Some(together) = self.together.get(name) else { return false };
        let is_same = |it: &String| self.values.of(it).is_some_and(|it| it.is_same);
        self.fields.get(name) == Some(&together.len()) && together.iter().all(is_same)
    }

    /// Adds who has read it: consumers by the names that they are declared with, and people.
    pub(super) fn readers(
        &self,
        name: &str,
        spec: &SecretSpec,
        facts: &mut SecretFacts,
        people: &mut BTreeSet<String>,
    ) {
        let Some(value) = self.values.of(name) else { return };
        for (principal, read) in &value.readers {
            let person = PEOPLE.iter().find_map(|it| principal.strip_prefix(it));
            let is_consumer = |it: &&String| *it == principal || Some(it.as_str()) == person;
            match (spec.consumers.iter().find(is_consumer), person) {
                (Some(consumer), _) => {
                    let last = facts.reads.entry(consumer.clone()).or_insert(read.at);
                    *last = (*last).max(read.at);
                }
                (None, Some(person)) if facts.rotated_at.is_none_or(|it| read.at >= it) => {
                    people.insert(person.to_owned());
                }
                (None, _) => {}
            }
        }
    }

    /// Where the same value lies too: names of secrets.
    pub(super) fn same_as(&self, name: &str) -> Vec<&str> {
        let shared = self.values.shared().into_iter().find(|it| it.contains(&name)).unwrap_or_default();
        shared.into_iter().filter(|it| *it != name).collect()
    }
}

/// Of each secret in a vault all that lie at its place, itself among them.
fn together(specs: &BTreeMap<String, SecretSpec>) -> BTreeMap<String, Vec<String>> {
    let place = |spec: &SecretSpec| match &spec.source {
        SecretSource::Vault { mount, path, .. } => Some((mount.clone(), path.clone())),
        _ => None,
    };
    let mut by_place: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for (name, spec) in specs {
        if let Some(place) = place(spec) {
            by_place.entry(place).or_default().push(name.clone());
        }
    }
    let of = |names: Vec<String>| names.clone().into_iter().map(move |name| (name, names.clone()));
    by_place.into_values().flat_map(of).collect()
}
