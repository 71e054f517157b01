use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ops_audit::entry::{ActorKind, Outcome};
use ops_contract::{AgentName, Concealed, Operator, RotationMethod, SecretPurpose, SecretValues, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::policy;
use super::stores::StoreError;
use crate::audit::{self, Entry, Refused};
use crate::{App, clock, store};

/// Name of the action under which reads are recorded.
pub(crate) const READ: &str = "secret.read";
const SET: &str = "secret.set";

/// Who asks for values.
pub(crate) enum Asker<'a> {
    /// An agent, for a service that it starts or a store that it looks at.
    Agent(&'a AgentName, &'a SecretPurpose),
    /// A person, and why.
    Person(&'a Operator, &'a str),
}

/// Why nothing was handed out. Each of them but the last is in the audit log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Denied {
    #[error("{0}")]
    Policy(String),
    #[error("there is no secret {0} in the stack file")]
    Unknown(String),
    #[error("{0}: {1}")]
    Store(String, StoreError),
    #[error(transparent)]
    Unrecorded(#[from] Refused),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Decides, reads, records, and only then hands out.
pub(crate) async fn hand_out(
    app: &App,
    asker: &Asker<'_>,
    address: IpAddr,
    names: &BTreeSet<String>,
) -> Result<SecretValues, Denied> {
    let now = clock::now();
    let leased = is_leased(app, asker).await?;
    let mut found: BTreeMap<String, (SecretString, Option<String>)> = BTreeMap::new();
    for name in names {
        let refused = match (app.vault.spec(name), asker) {
            (None, _) => Some(Denied::Unknown(name.clone())),
            (Some(_), Asker::Agent(_, purpose)) => {
                policy::refuse_agent(&app.stack, name, purpose, leased).map(Denied::Policy)
            }
            (Some(spec), Asker::Person(operator, _)) => {
                policy::refuse_person(spec, operator, name).map(Denied::Policy)
            }
        };
        if let Some(denied) = refused {
            return refuse(app, asker, address, names, name, denied).await;
        }
        let Some(spec) = app.vault.spec(name) else { continue };
        match app.vault.read(name, &spec.source, now).await {
            Ok(it) => {
                found.insert(name.clone(), (it.value, it.facts.version));
            }
            Err(error) => {
                let denied = Denied::Store(format!("secret {name}"), error);
                return refuse(app, asker, address, names, name, denied).await;
            }
        }
    }
    let mut values = SecretValues::default();
    let mut drafts = Vec::new();
    for (name, (value, version)) in found {
        drafts.push(entry(asker, address, &name).detail("version", version.unwrap_or_default()).draft());
        if let Some((previous, value)) = previous(app, asker, &name, now).await {
            values.values.insert(previous, Concealed(value.expose_secret().to_owned()));
        }
        values.values.insert(name, Concealed(value.expose_secret().to_owned()));
    }
    app.audit.append(drafts).await?;
    Ok(values)
}

/// The key before, under the name that programs know, while a renewal overlaps.
async fn previous(
    app: &App,
    asker: &Asker<'_>,
    name: &str,
    now: Timestamp,
) -> Option<(String, SecretString)> {
    let spec = app.vault.spec(name)?;
    match (&spec.rotation, asker) {
        (RotationMethod::Jwt { previous }, Asker::Agent(..)) => {
            let value = app.vault.read_previous(name, spec, now).await?;
            Some((previous.clone(), value.value))
        }
        _ => None,
    }
}

/// Records that somebody did not get what they asked for, and why.
async fn refuse(
    app: &App,
    asker: &Asker<'_>,
    address: IpAddr,
    names: &BTreeSet<String>,
    name: &str,
    denied: Denied,
) -> Result<SecretValues, Denied> {
    let outcome = if matches!(denied, Denied::Store(..)) { Outcome::Failed } else { Outcome::Denied };
    let mut entry = entry(asker, address, name).outcome(outcome).detail("error", denied.to_string());
    if names.len() > 1 {
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        entry = entry.detail("asked_for", all.join(", "));
    }
    app.audit.append(vec![entry.draft()]).await?;
    Err(denied)
}

fn entry(asker: &Asker<'_>, address: IpAddr, name: &str) -> Entry {
    match asker {
        Asker::Person(operator, reason) => audit::of_operator(operator, address, READ, name).why(reason),
        Asker::Agent(agent, SecretPurpose::Start { replica, generation }) => {
            audit::of_agent(agent, address, READ, name)
                .acting_as(ActorKind::Service, replica.service.as_str())
                .why(&format!("to start {replica}"))
                .detail("replica", replica.to_string())
                .detail("generation", generation.to_string())
        }
        Asker::Agent(agent, SecretPurpose::Probe { store }) => {
            audit::of_agent(agent, address, READ, name).why(&format!("to look at {store}"))
        }
    }
}

async fn is_leased(app: &App, asker: &Asker<'_>) -> Result<bool, Denied> {
    let Asker::Agent(agent, SecretPurpose::Start { replica, generation }) = asker else { return Ok(true) };
    let mut db = app.store.connection().await?;
    Ok(store::actions::is_leased(&mut db, agent, replica, *generation).await?)
}

/// Gives a secret a new value: recorded first, so that no value is ever in force that the log does not know of.
pub(crate) async fn set(
    app: &App,
    operator: &Operator,
    address: IpAddr,
    name: &str,
    value: SecretString,
    reason: &str,
) -> Result<(), Denied> {
    let entry = || audit::of_operator(operator, address, SET, name).why(reason);
    let Some(spec) = app.vault.spec(name) else {
        app.audit.append(vec![entry().outcome(Outcome::Denied).draft()]).await?;
        return Err(Denied::Unknown(name.to_owned()));
    };
    app.audit.append(vec![entry().draft()]).await?;
    match app.vault.write(name, &spec.source, value, clock::now()).await {
        Ok(_) => Ok(()),
        Err(error) => {
            let failed = entry().outcome(Outcome::Failed).detail("error", error.to_string());
            app.audit.append(vec![failed.draft()]).await?;
            Err(Denied::Store(format!("secret {name}"), error))
        }
    }
}
