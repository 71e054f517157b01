use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ops_contract::{AuditEntry, Timestamp};
use ops_engine::findings::{Deploy, World};

use crate::secrets::policy;
use crate::{App, store};

/// So long after a start was done the program may still ask for what it needs.
const AFTER: Duration = Duration::from_secs(120);
/// Starts that ended longer ago explain nothing any more.
const BACK: Duration = Duration::from_secs(86_400);

/// What entries are judged against, as it is now.
pub(super) struct Known<'a> {
    app: &'a App,
    consumers: BTreeMap<String, BTreeSet<String>>,
    departed: BTreeMap<String, Timestamp>,
    deploys: Vec<Deploy>,
}

impl<'a> Known<'a> {
    /// Reads it. `told` are the entries to be judged: only for those of other systems it is asked what they call us.
    pub(super) async fn gather(app: &'a App, told: &[AuditEntry], now: Timestamp) -> anyhow::Result<Self> {
        let mut consumers = policy::consumers(&app.stack);
        let us = match told.iter().any(|it| it.device.is_some()) {
            true => app.vault.own_names().await,
            false => BTreeSet::new(),
        };
        let mut db = app.store.connection().await?;
        let agents = store::agents::names(&mut db).await?;
        let departed = store::departures::all(&mut db).await?;
        let mut deploys = Vec::new();
        let open = store::actions::open(&mut db).await?;
        for action in open.into_iter().chain(store::actions::ended_since(&mut db, now - BACK).await?) {
            deploys.push(Deploy {
                principal: action.replica.service.to_string(),
                from: action.requested_at,
                until: action.finished_at.map(|it| it + AFTER),
            });
        }
        for wish in store::rolling::list(&mut db).await? {
            deploys.push(Deploy { principal: wish.service.to_string(), from: now - BACK, until: None });
        }
        drop(db);
        let postgres = app.stack.postgres.values().filter_map(|it| it.password_secret.as_ref());
        let valkey = app.stack.valkey.values().filter_map(|it| it.password_secret.as_ref());
        for name in postgres.chain(valkey) {
            // Whoever looks at a store needs its password.
            consumers.entry(name.clone()).or_default().extend(agents.iter().cloned());
        }
        for name in app.stack.secrets.keys().filter(|_| !us.is_empty()) {
            consumers.entry(name.clone()).or_default().extend(us.iter().cloned());
        }
        // Nothing uses a canary, whoever is named.
        consumers.retain(|name, _| app.stack.secrets.get(name).is_some_and(|it| !it.canary));
        Ok(Self { app, consumers, departed, deploys })
    }

    pub(super) fn world(&self) -> World<'_> {
        World {
            secrets: &self.app.stack.secrets,
            consumers: &self.consumers,
            departed: &self.departed,
            deploys: Some(&self.deploys),
            spec: &self.app.stack.audit.findings,
        }
    }

    /// Whether a finding rests on what is known here. Nobody tells of the deploys of roles that are no services of ours, and
    /// only devices of the stack file are expected to say something.
    pub(super) fn is_founded(&self, finding: &ops_contract::Finding) -> bool {
        let stack = &self.app.stack;
        match finding.key.split('|').next() {
            Some("R8.role") => stack.services.keys().any(|it| it.as_str() == finding.principal),
            Some("R10.silence") => stack.audit.sources.contains_key(&finding.principal),
            _ => true,
        }
    }
}
