use std::collections::BTreeSet;
use std::net::IpAddr;

use ops_audit::entry::{ActorKind, Outcome};
use ops_contract::{
    AgentName, Concealed, Operator, RotationMethod, SecretPurpose, SecretRequest, SecretRotation, SecretSpec,
    SecretValues, Timestamp,
};
use secrecy::{ExposeSecret, SecretString};

use super::handouts::Ticket;
use super::policy;
use super::rotate;
use super::stores::{StoreError, Value};
use crate::audit::{self, Entry, Refused};
use crate::store::secret_handouts::Handout;
use crate::{App, clock, store};

/// Name of the action under which reads are recorded.
pub(crate) const READ: &str = "secret.read";

/// Who asks for values.
pub(crate) enum Asker<'a> {
    /// An agent, for a service that it starts or a store that it looks at.
    Agent(&'a AgentName, &'a SecretPurpose),
    /// A person, why, and the request that a second admin has approved where it takes one.
    Person(&'a Operator, &'a str, Option<&'a SecretRequest>),
}

/// Values on their way out. The ticket says whether they were sent.
pub(crate) struct Handed {
    pub(crate) values: SecretValues,
    pub(crate) ticket: Ticket,
}

/// Why nothing was handed out. Each of them but the last is in the audit log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Denied {
    #[error("{0}")]
    Policy(String),
    #[error("there is no secret {0} in the stack file")]
    Unknown(String),
    #[error("{0}")]
    NoRequest(String),
    #[error("{0}")]
    Busy(String),
    #[error("{0}: {1}")]
    Store(String, StoreError),
    #[error(transparent)]
    Unrecorded(#[from] Refused),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// A value as it was found, with what belongs to it.
struct Found<'a> {
    name: &'a str,
    value: Value,
    /// The key that is good too, under the name that programs know.
    along: Option<(String, SecretString)>,
    rotation: Option<SecretRotation>,
}

/// Decides, reads, records, and only then hands out.
pub(crate) async fn hand_out(
    app: &App,
    asker: &Asker<'_>,
    address: IpAddr,
    names: &BTreeSet<String>,
) -> Result<Handed, Denied> {
    let leased = is_leased(app, asker).await?;
    let mut found = Vec::new();
    for name in names {
        let spec = match permitted(app, asker, name, leased) {
            Ok(spec) => spec,
            Err(denied) => return refuse(app, asker, address, names, name, denied).await,
        };
        match find(app, asker, name, spec).await? {
            Ok(it) => found.push(it),
            Err(error) => {
                let denied = Denied::Store(format!("secret {name}"), error);
                return refuse(app, asker, address, names, name, denied).await;
            }
        }
    }
    if let Asker::Person(_, _, Some(request)) = asker {
        // Used up before it is recorded: what cannot be recorded takes a new request, never a second read.
        let mut db = app.store.connection().await?;
        if !store::secret_requests::take(&mut db, &request.id, clock::now()).await? {
            return Err(Denied::Policy(format!("request {} is over: ask again", request.id)));
        }
    }
    let drafts = found.iter().map(|it| recorded(asker, address, it).draft()).collect();
    let id = uuid::Uuid::now_v7().to_string();
    let handout = handout(app, asker, &id, names);
    app.audit.append_with(drafts, Some(handout)).await?;
    let ticket = Ticket::new(id, &app.vault.ended);
    let mut values = SecretValues::default();
    for it in found {
        let along = it.along.map(|(name, value)| (name, Concealed(value.expose_secret().to_owned())));
        values.values.extend(along);
        values.values.insert(it.name.to_owned(), Concealed(it.value.value.expose_secret().to_owned()));
    }
    Ok(Handed { values, ticket })
}

fn permitted<'a>(
    app: &'a App,
    asker: &Asker<'_>,
    name: &str,
    leased: bool,
) -> Result<&'a SecretSpec, Denied> {
    let spec = app.vault.spec(name).ok_or_else(|| Denied::Unknown(name.to_owned()))?;
    let refused = match asker {
        Asker::Agent(_, purpose) => policy::refuse_agent(&app.stack, name, purpose, leased),
        Asker::Person(operator, _, approved) => policy::refuse_person(spec, operator, name).or_else(|| {
            let lacks =
                spec.approval && approved.is_none_or(|it| it.secret != name || it.by != operator.name);
            lacks.then(|| format!("a read of {name} takes the word of a second admin"))
        }),
    };
    refused.map_or(Ok(spec), |why| Err(Denied::Policy(why)))
}

/// The value for who asks. The journal is read first: what is recorded of a phase is never a value from before it.
async fn find<'a>(
    app: &App,
    asker: &Asker<'_>,
    name: &'a str,
    spec: &SecretSpec,
) -> store::Result<Result<Found<'a>, StoreError>> {
    let starts = matches!(asker, Asker::Agent(_, SecretPurpose::Start { .. }));
    let rotation = match starts && !matches!(spec.rotation, RotationMethod::Manual) {
        true => store::secret_rotations::open_of(&mut *app.store.connection().await?, name).await?,
        false => None,
    };
    let now = clock::now();
    let value = match app.vault.read(name, &spec.source, now).await {
        Ok(value) => value,
        Err(error) => return Ok(Err(error)),
    };
    let (value, along) = match &rotation {
        Some(rotation) => match rotate::hand_jwt(app, rotation, spec, value).await {
            Ok(it) => it,
            Err(error) => return Ok(Err(error)),
        },
        None if starts => (value, previous(app, name, spec, now).await),
        None => (value, None),
    };
    Ok(Ok(Found { name, value, along, rotation }))
}

/// The key before, under the name that programs know, when somebody has set a new one by hand a while ago.
async fn previous(
    app: &App,
    name: &str,
    spec: &SecretSpec,
    now: Timestamp,
) -> Option<(String, SecretString)> {
    let RotationMethod::Jwt { previous } = &spec.rotation else { return None };
    let value = app.vault.read_previous(name, spec, now).await?;
    Some((previous.clone(), value.value))
}

fn recorded(asker: &Asker<'_>, address: IpAddr, found: &Found<'_>) -> Entry {
    let version = found.value.facts.version.clone().unwrap_or_default();
    let mut entry = entry(asker, address, found.name).detail("version", version);
    if let Some(rotation) = &found.rotation {
        let phase = store::word(&rotation.phase).unwrap_or_default();
        entry = entry.detail("rotation", &rotation.id).detail("phase", phase);
    }
    match asker {
        Asker::Person(_, _, Some(request)) => entry
            .detail("request", &request.id)
            .detail("approved_by", request.approved_by.clone().unwrap_or_default()),
        _ => entry,
    }
}

fn handout(app: &App, asker: &Asker<'_>, id: &str, names: &BTreeSet<String>) -> Handout {
    let actor = match asker {
        Asker::Person(operator, ..) => operator.name.clone(),
        Asker::Agent(_, SecretPurpose::Start { replica, .. }) => replica.to_string(),
        Asker::Agent(agent, _) => agent.to_string(),
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Handout {
        id: id.to_owned(),
        holder: app.holder.clone(),
        at_us: clock::now().0,
        seq: 0,
        actor,
        secrets: names.join(", "),
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
) -> Result<Handed, Denied> {
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
        Asker::Person(operator, reason, _) => audit::of_operator(operator, address, READ, name).why(reason),
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
