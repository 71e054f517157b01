//! By hand: a list of steps and a reminder, which is closed by the new value or by evidence that there is one.

use std::net::IpAddr;
use std::time::Duration;

use ops_audit::entry::Outcome;
use ops_contract::{
    Operator, RotationPhase as Phase, SecretCategory, SecretRotation, SecretSource, SecretSpec,
};
use sqlx::AnyConnection;

use super::{Fault, ROTATED, Step, go};
use crate::secrets::hand::Denied;
use crate::secrets::{policy, prints};
use crate::store::{self, secret_rotations as table};
use crate::{App, audit, clock};

/// A value that was seen to change so long ago is the one that it had, whatever is said.
const LATE: Duration = Duration::from_secs(86_400);

/// Closes the reminder when the store itself shows a newer value.
pub(super) async fn step(app: &App, rotation: &SecretRotation, spec: &SecretSpec) -> Result<Step, Fault> {
    let is_elsewhere =
        matches!(spec.source, SecretSource::Vault { .. } | SecretSource::AwsSecretsManager { .. });
    let facts = if is_elsewhere { app.vault.facts(&rotation.secret, &spec.source).await } else { None };
    if let Some(facts) = facts
        && facts.changed_at.is_some_and(|at| at > rotation.began_at)
    {
        let mut step = go(rotation, Phase::Done, ROTATED);
        let version = facts.version.unwrap_or_default();
        step.entries = vec![
            super::entry(rotation, ROTATED).detail("evidence", format!("version {version} in its store")),
        ];
        return Ok(step.into());
    }
    Ok(Step::Wait("a new value, set by somebody".to_owned()))
}

/// What is to be done, in order.
pub(super) fn steps(app: &App, name: &str, spec: &SecretSpec) -> Vec<String> {
    let owner = spec.owner.as_deref().map(|it| format!(" (its owner is {it})")).unwrap_or_default();
    let made = match spec.category {
        SecretCategory::ThirdParty => format!(
            "At the provider of {name}{owner}, make a second key with the same rights; leave the first as it is."
        ),
        SecretCategory::Database => format!(
            "In the database of {name}{owner}, make a second password or user; leave the first as it is."
        ),
        SecretCategory::EncryptionKey => format!(
            "Make a new key for {name}{owner}, and see that what is encrypted with the first can still be read: keep it, or encrypt anew."
        ),
        SecretCategory::Application => format!("Make a new value for {name}{owner}: openssl rand -base64 48"),
    };
    let is_env = matches!(spec.source, SecretSource::Env { .. });
    let put = match &spec.source {
        SecretSource::Env { variable } => {
            format!(
                "Change {variable} where the server is started or in its .env file, and restart the server if it was not .env."
            )
        }
        _ => format!("insightdesk secrets set {name} --reason 'renewal' < new-value"),
    };
    let services = policy::consumers(&app.stack).remove(name).unwrap_or_default();
    let mut steps = vec![made, put];
    steps.extend(services.iter().map(|it| format!("insightdesk restart {it}")));
    steps.extend(spec.consumers.iter().map(|it| format!("Have {it} read it anew.")));
    steps.push("insightdesk secrets list: see that nobody is stale, and that what uses it works.".to_owned());
    if spec.category != SecretCategory::Application {
        steps.push(format!("Revoke the first value of {name}, and look for uses of it since."));
    }
    if is_env {
        steps.push(format!(
            "insightdesk secrets rotated {name} --evidence 'what shows it', if this reminder is still open."
        ));
    }
    steps
}

/// Closes the reminder of a secret that has a new value, in the caller's transaction. Gives its identity.
pub(crate) async fn close(db: &mut AnyConnection, name: &str) -> store::Result<Option<String>> {
    let Some(mut rotation) = table::open_of(db, name).await?.filter(|it| it.phase == Phase::Waiting) else {
        return Ok(None);
    };
    rotation.phase = Phase::Done;
    let closed = table::advance(db, &rotation, Phase::Waiting, clock::now()).await?;
    Ok(closed.then_some(rotation.id))
}

/// Somebody says that a secret was renewed, and what shows it: for stores that we cannot write.
pub(crate) async fn rotated(
    app: &App,
    operator: &Operator,
    address: IpAddr,
    name: &str,
    evidence: &str,
) -> Result<(), Denied> {
    let entry = || audit::of_operator(operator, address, ROTATED, name).detail("evidence", evidence);
    let refused = match app.vault.spec(name) {
        None => Some(Denied::Unknown(name.to_owned())),
        Some(_) => is_as_it_was(app, name).await?.then(|| {
            Denied::Busy(format!(
                "{name} has the value that it had: the server must read the new one before it counts as renewed"
            ))
        }),
    };
    if let Some(denied) = refused {
        let failed = entry().outcome(Outcome::Failed).detail("error", denied.to_string());
        app.audit.append(vec![failed.draft()]).await?;
        return Err(denied);
    }
    let mut db = app.store.begin().await?;
    let open = table::open_of(&mut db, name).await?;
    if let Some(open) = open.filter(|it| it.phase != Phase::Waiting) {
        return Err(Denied::Busy(super::under_way(&open)));
    }
    let closed = close(&mut db, name).await?;
    let entry = entry().detail("rotation", closed.unwrap_or_default());
    let appended = audit::append_in(&mut db, &app.audit, vec![entry.draft()]).await?;
    db.commit().await?;
    app.audit.saw(&appended);
    Ok(())
}

/// Whether the server can see that it did not change: it reads the value that it has seen for a day or more.
async fn is_as_it_was(app: &App, name: &str) -> store::Result<bool> {
    let Some(print) = prints::now(app, name).await else { return Ok(false) };
    let known = store::secret_prints::get(&mut *app.store.connection().await?, name).await?;
    let since = ops_contract::Timestamp(clock::now().0) - LATE;
    Ok(known
        .is_some_and(|it| it.key_id == print.key_id && it.print == print.print && it.seen_at_us < since.0))
}
