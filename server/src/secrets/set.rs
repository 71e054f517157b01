use std::net::IpAddr;

use ops_audit::entry::Outcome;
use ops_contract::Operator;
use secrecy::{ExposeSecret, SecretString};

use super::hand::Denied;
use super::prints;
use super::rotate::{self, ROTATED};
use crate::store::{secret_prints, secret_rotations};
use crate::{App, audit, clock};

const SET: &str = "secret.set";

/// What became of a value that somebody set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// It is another than before.
    Renewed,
    /// It is the one that was there: recorded, and no renewal.
    Same,
}

/// Gives a secret a new value: recorded first, so that no value is ever in force that the log does not know of.
pub(crate) async fn set(
    app: &App,
    operator: &Operator,
    address: IpAddr,
    name: &str,
    value: SecretString,
    reason: &str,
) -> Result<Set, Denied> {
    let entry = || audit::of_operator(operator, address, SET, name).why(reason);
    let Some(spec) = app.vault.spec(name) else {
        app.audit.append(vec![entry().outcome(Outcome::Denied).draft()]).await?;
        return Err(Denied::Unknown(name.to_owned()));
    };
    let fail = async |denied: Denied| {
        let failed = entry().outcome(Outcome::Failed).detail("error", denied.to_string());
        app.audit.append(vec![failed.draft()]).await?;
        Err(denied)
    };
    let open = secret_rotations::open_of(&mut *app.store.connection().await?, name).await?;
    if let Some(open) = open.filter(|it| it.method != "manual") {
        return fail(Denied::Busy(rotate::under_way(&open))).await;
    }
    let now = clock::now();
    let before = match app.vault.current(name, &spec.source).await {
        Ok(it) => it,
        Err(error) => return fail(Denied::Store(format!("secret {name}"), error)).await,
    };
    let is_same = before.is_some_and(|it| it.expose_secret() == value.expose_secret());
    let told = if is_same { "the one that it had" } else { "" };
    app.audit.append(vec![entry().detail("value", told).draft()]).await?;
    let print = app.vault.printer.print(name, &value);
    if is_same {
        let mut db = app.store.begin().await?;
        prints::put(&mut db, name, &print).await?;
        secret_prints::note_same(&mut db, name, now).await?;
        db.commit().await?;
        return Ok(Set::Same);
    }
    if let Err(error) = app.vault.write(name, &spec.source, value, now).await {
        return fail(Denied::Store(format!("secret {name}"), error)).await;
    }
    let mut db = app.store.begin().await?;
    if prints::put(&mut db, name, &print).await? {
        let closed = rotate::close(&mut db, name).await?.unwrap_or_default();
        let entry = audit::of_operator(operator, address, ROTATED, name).why(reason);
        let entry = entry.detail("method", "manual").detail("rotation", closed);
        let appended = audit::append_in(&mut db, &app.audit, vec![entry.draft()]).await?;
        db.commit().await?;
        app.audit.saw(&appended);
    }
    Ok(Set::Renewed)
}
