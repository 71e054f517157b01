//! Renewals: one file per method. Each is a row whose phase says what is to be done; what a phase does can be done twice, and
//! the step to the next phase is one transaction with its audit entry. Killed anywhere, the next pass goes on from the row.
//!
//! The new value, and the one before, lie in the encrypted file under names of the renewal until it is over ([`Kept`]).
//!
//! To add a method: a file here, an arm in [`first`] and in [`step`], a variant of `ops_contract::RotationMethod`.

mod jwt;
mod kept;
mod manual;
mod postgres;
mod readers;

use std::net::IpAddr;

use ops_audit::entry::Outcome;
use ops_contract::{Operator, RotationMethod, RotationPhase, SecretRotation, SecretSource, SecretSpec};

use super::hand::Denied;
use super::prints;
use super::stores::StoreError;
use crate::audit::{self, Entry};
use crate::store::{self, secret_rotations as table};
use crate::{App, clock};

pub(crate) use jwt::hand as hand_jwt;
pub(super) use kept::Kept;

/// Name of the entry that says that a secret has a new value with all that use it.
pub(crate) const ROTATED: &str = "secret.rotated";
const BEGAN: &str = "secret.rotation_began";
const ABORTED: &str = "secret.rotation_aborted";

/// What a pass comes to.
pub(super) enum Step {
    /// Not yet, and why.
    Wait(String),
    /// On to the next phase.
    Go(Box<Go>),
}

/// A step to the next phase, and what is recorded of it.
pub(super) struct Go {
    next: SecretRotation,
    entries: Vec<Entry>,
}

/// Why a pass does not come to anything; tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Postgres(String),
    #[error("the store cannot be read: {0}")]
    Database(#[from] sqlx::Error),
}

/// Begins a renewal, which the task then carries out.
pub(crate) async fn begin(
    app: &App,
    operator: &Operator,
    address: IpAddr,
    name: &str,
    reason: &str,
) -> Result<SecretRotation, Denied> {
    let entry = || audit::of_operator(operator, address, BEGAN, name).why(reason);
    let refused = match app.vault.spec(name) {
        None => Some(Denied::Unknown(name.to_owned())),
        Some(spec) => refuse(spec, name),
    };
    if let Some(denied) = refused {
        let denial = entry().outcome(Outcome::Failed).detail("error", denied.to_string());
        app.audit.append(vec![denial.draft()]).await?;
        return Err(denied);
    }
    let Some(spec) = app.vault.spec(name) else { return Err(Denied::Unknown(name.to_owned())) };
    let now = clock::now();
    let (method, phase) = first(&spec.rotation);
    let rotation = SecretRotation {
        id: uuid::Uuid::now_v7().to_string(),
        secret: name.to_owned(),
        method: method.to_owned(),
        phase,
        by: operator.name.clone(),
        reason: reason.to_owned(),
        began_at: now,
        phase_at: now,
        login: None,
        until: None,
        waits_for: None,
        steps: Vec::new(),
        ended_at: None,
    };
    let entry = entry().detail("rotation", &rotation.id).detail("method", method);
    let mut db = app.store.begin().await?;
    if !table::insert(&mut db, &rotation).await? {
        let open = table::open_of(&mut db, name).await?;
        drop(db);
        return Err(Denied::Busy(open.map_or_else(String::new, |it| under_way(&it))));
    }
    let appended = audit::append_in(&mut db, &app.audit, vec![entry.draft()]).await?;
    db.commit().await?;
    app.audit.saw(&appended);
    app.rotate.activate();
    Ok(with_steps(app, rotation))
}

/// Why this secret cannot be renewed by us.
fn refuse(spec: &SecretSpec, name: &str) -> Option<Denied> {
    let by_us = !matches!(spec.rotation, RotationMethod::Manual);
    let SecretSource::Env { variable } = &spec.source else { return None };
    by_us.then(|| {
        let why = format!(
            "it is a variable of the server: change {variable} where the server is started, restart its consumers, \
             then say so with `insightdesk secrets rotated {name} --evidence …`"
        );
        Denied::Store(format!("secret {name}"), StoreError::ReadOnly(why))
    })
}

/// The method's name, and its first phase.
const fn first(method: &RotationMethod) -> (&'static str, RotationPhase) {
    match method {
        RotationMethod::Manual => ("manual", RotationPhase::Waiting),
        RotationMethod::Jwt { .. } => ("jwt", RotationPhase::Prepare),
        RotationMethod::Postgres { .. } => ("postgres", RotationPhase::Prepare),
    }
}

/// That a renewal is under way, in words that say what can be done.
pub(crate) fn under_way(it: &SecretRotation) -> String {
    let name = &it.secret;
    match it.phase {
        RotationPhase::Overlap | RotationPhase::Drop => format!(
            "{name} was renewed and the value before is still good: wait for the end of its grace, or end it with \
             `insightdesk secrets rotate {name} --end-grace`"
        ),
        _ => format!(
            "a renewal of {name} is under way: see `insightdesk secrets rotations`, or give it up with \
             `insightdesk secrets rotate {name} --abort`"
        ),
    }
}

/// Gives a renewal up, while the new value is not in force.
pub(crate) async fn abort(
    app: &App,
    operator: &Operator,
    address: IpAddr,
    name: &str,
    reason: &str,
) -> Result<SecretRotation, Denied> {
    let mut db = app.store.begin().await?;
    let Some(mut rotation) = table::open_of(&mut db, name).await? else {
        return Err(Denied::Busy(format!("no renewal of {name} is under way")));
    };
    let from = rotation.phase;
    let may = match from {
        RotationPhase::Prepare | RotationPhase::Spread | RotationPhase::Waiting => true,
        // The user whose turn it is may have the new password already; nobody uses it yet.
        RotationPhase::Change => true,
        _ => false,
    };
    if !may {
        return Err(Denied::Busy(format!("the new value of {name} is in force: let the renewal end")));
    }
    rotation.phase = RotationPhase::Aborted;
    let entry = audit::of_operator(operator, address, ABORTED, name).why(reason);
    let entry = entry.detail("rotation", &rotation.id).detail("phase", store::word(&from)?);
    if !table::advance(&mut db, &rotation, from, clock::now()).await? {
        return Err(Denied::Busy(format!("the renewal of {name} has just gone on: try again")));
    }
    let appended = audit::append_in(&mut db, &app.audit, vec![entry.draft()]).await?;
    db.commit().await?;
    app.audit.saw(&appended);
    if let Err(error) = Kept::of(&app.vault, &rotation).forget().await {
        tracing::warn!(%error, name, "what a renewal kept is still in the encrypted file");
    }
    Ok(rotation)
}

/// Ends the time in which the value before is still good.
pub(crate) async fn end_grace(
    app: &App,
    operator: &Operator,
    address: IpAddr,
    name: &str,
    reason: &str,
) -> Result<SecretRotation, Denied> {
    let now = clock::now();
    let mut db = app.store.begin().await?;
    let rotation = table::open_of(&mut db, name).await?;
    let Some(rotation) = rotation.filter(|it| it.phase == RotationPhase::Overlap) else {
        return Err(Denied::Busy(format!("no value before of {name} is good still")));
    };
    table::cut_grace(&mut db, &rotation.id, now).await?;
    let entry = audit::of_operator(operator, address, "secret.grace_ended", name).why(reason);
    let entry = entry.detail("rotation", &rotation.id);
    let appended = audit::append_in(&mut db, &app.audit, vec![entry.draft()]).await?;
    db.commit().await?;
    app.audit.saw(&appended);
    app.rotate.activate();
    Ok(SecretRotation { until: Some(now), ..rotation })
}

/// Takes every renewal that is under way as far as it goes now. Gives how many steps were made.
pub(crate) async fn advance(app: &App) -> anyhow::Result<u64> {
    let open = table::open(&mut *app.store.connection().await?).await?;
    let mut steps = 0;
    for mut rotation in open {
        while !rotation.phase.is_over() {
            let waits_for = match step(app, &rotation).await {
                Ok(Step::Go(go)) => match commit(app, &rotation, &go).await? {
                    true => {
                        steps += 1;
                        rotation = go.next;
                        continue;
                    }
                    // Another server was quicker.
                    false => break,
                },
                Ok(Step::Wait(why)) => why,
                Err(fault) => {
                    tracing::warn!(secret = rotation.secret, error = %fault, "a renewal does not go on");
                    fault.to_string()
                }
            };
            if rotation.waits_for.as_ref() != Some(&waits_for) {
                let mut db = app.store.connection().await?;
                table::wait(&mut db, &rotation.id, &waits_for).await?;
            }
            break;
        }
    }
    Ok(steps)
}

async fn step(app: &App, rotation: &SecretRotation) -> Result<Step, Fault> {
    let Some(spec) = app.vault.spec(&rotation.secret) else {
        return Ok(Step::Wait(format!("{} is not in the stack file any more", rotation.secret)));
    };
    let (method, _) = first(&spec.rotation);
    if method != rotation.method {
        return Ok(Step::Wait(format!("the stack file says rotation = \"{method}\" now: give it up")));
    }
    match &spec.rotation {
        RotationMethod::Manual => manual::step(app, rotation, spec).await,
        RotationMethod::Jwt { .. } => jwt::step(app, rotation, spec).await,
        RotationMethod::Postgres { store, users, admin_secret } => {
            let turn = postgres::Turn { store, users, admin_secret: admin_secret.as_deref() };
            postgres::step(app, rotation, spec, &turn).await
        }
    }
}

/// The step and its entries, or neither.
async fn commit(app: &App, rotation: &SecretRotation, go: &Go) -> anyhow::Result<bool> {
    let is_renewed = go.entries.iter().any(|it| it.is(ROTATED));
    let print = if is_renewed { prints::now(app, &rotation.secret).await } else { None };
    let mut db = app.store.begin().await?;
    if !table::advance(&mut db, &go.next, rotation.phase, go.next.phase_at).await? {
        return Ok(false);
    }
    if let Some(print) = &print {
        prints::put(&mut db, &rotation.secret, print).await?;
    }
    let drafts = go.entries.iter().map(|it| it.clone().draft()).collect();
    let appended = audit::append_in(&mut db, &app.audit, drafts).await?;
    db.commit().await?;
    app.audit.saw(&appended);
    tracing::info!(
        secret = rotation.secret,
        "renewal: {:?} is over, {:?} begins",
        rotation.phase,
        go.next.phase
    );
    Ok(true)
}

/// A step to `phase`, recorded under `action`.
fn go(rotation: &SecretRotation, phase: RotationPhase, action: &str) -> Go {
    let next = SecretRotation { phase, phase_at: clock::now(), waits_for: None, ..rotation.clone() };
    Go { next, entries: vec![entry(rotation, action)] }
}

fn entry(rotation: &SecretRotation, action: &str) -> Entry {
    audit::of_system(action, &rotation.secret)
        .why(&rotation.reason)
        .detail("rotation", &rotation.id)
        .detail("method", &rotation.method)
        .detail("requested_by", &rotation.by)
}

impl From<Go> for Step {
    fn from(go: Go) -> Self {
        Self::Go(Box::new(go))
    }
}

/// The renewals, newest first, with what is to be done by hand.
pub(crate) async fn list(app: &App, before: &str, limit: u32) -> store::Result<Vec<SecretRotation>> {
    let found = table::list(&mut *app.store.connection().await?, before, limit).await?;
    Ok(found.into_iter().map(|it| with_steps(app, it)).collect())
}

fn with_steps(app: &App, mut rotation: SecretRotation) -> SecretRotation {
    if rotation.phase == RotationPhase::Waiting
        && let Some(spec) = app.vault.spec(&rotation.secret)
    {
        rotation.steps = manual::steps(app, &rotation.secret, spec);
    }
    rotation
}

pub(crate) use manual::{close, rotated};
