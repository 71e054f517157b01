//! A person's read that takes a second admin's word: a request, good for a quarter of an hour and for one read.

use std::net::IpAddr;
use std::time::Duration;

use ops_audit::entry::Outcome;
use ops_contract::{Operator, Role, SecretReadWaits, SecretRequest};

use super::hand::{Denied, READ};
use super::policy;
use crate::audit::{self, Entry};
use crate::store::{self, secret_requests as table};
use crate::{App, clock};

/// How long a request can be approved and used.
const GOOD_FOR: Duration = Duration::from_secs(15 * 60);
/// For how long requests that are over are kept; the audit log keeps them for good.
const KEPT: Duration = Duration::from_secs(86_400);
const APPROVED: &str = "secret.approved";
const EXPIRED: &str = "secret.request_expired";

/// Whether a person may read now.
pub(crate) enum Gate {
    /// They may; with the request that was approved, if it took one.
    Open(Option<SecretRequest>),
    /// A second admin must agree first.
    Waits(SecretReadWaits),
}

/// Asks for the second word where it takes one; `id`: a request made before. Whoever may not read at all is let through:
/// they are refused, and recorded, where values are handed out.
pub(crate) async fn gate(
    app: &App,
    operator: &Operator,
    address: IpAddr,
    name: &str,
    reason: &str,
    id: Option<&str>,
) -> Result<Gate, Denied> {
    let spec = app.vault.spec(name).filter(|it| it.approval);
    if spec.is_none_or(|spec| policy::refuse_person(spec, operator, name).is_some()) {
        return Ok(Gate::Open(None));
    }
    let entry = || audit::of_operator(operator, address, READ, name).why(reason);
    let now = clock::now();
    let found = {
        let mut db = app.store.connection().await?;
        match id {
            Some(id) => table::get(&mut db, id).await?,
            None => table::open_of(&mut db, name, &operator.name).await?.map(|it| (it, None)),
        }
    };
    let found = match (found, id) {
        (Some((it, None)), _) if it.secret == name && it.by == operator.name && it.until > now => Some(it),
        (_, Some(id)) => {
            let why = format!("request {id} is none of yours for {name}, or is over: ask again without it");
            let denied = entry().outcome(Outcome::Denied).detail("error", &why).detail("request", id);
            app.audit.append(vec![denied.draft()]).await?;
            return Err(Denied::Policy(why));
        }
        (_, None) => None,
    };
    match found {
        Some(request) if request.approved_by.is_some() => Ok(Gate::Open(Some(request))),
        Some(request) => Ok(Gate::Waits(waits(app, operator, request).await?)),
        None => Ok(Gate::Waits(ask(app, operator, entry(), name, reason).await?)),
    }
}

/// Writes the wish down, with its entry.
async fn ask(
    app: &App,
    operator: &Operator,
    entry: Entry,
    name: &str,
    reason: &str,
) -> Result<SecretReadWaits, Denied> {
    let now = clock::now();
    let request = SecretRequest {
        id: uuid::Uuid::now_v7().to_string(),
        secret: name.to_owned(),
        by: operator.name.clone(),
        reason: reason.to_owned(),
        at: now,
        until: now + GOOD_FOR,
        approved_by: None,
    };
    let entry = entry.outcome(Outcome::Failed).detail("request", &request.id);
    let entry = entry.detail("waits_for", "a second admin");
    let mut db = app.store.begin().await?;
    let mut drafts = vec![entry.draft()];
    if let Some(old) = table::open_of(&mut db, name, &operator.name).await? {
        if old.until > now {
            drop(db);
            return Ok(waits(app, operator, old).await?);
        }
        // Its time is over, and that is not recorded yet.
        table::expire(&mut db, &old.id, now).await?;
        drafts.insert(0, expired(&old).draft());
    }
    if !table::insert(&mut db, &request).await? {
        return Err(Denied::Busy(format!("another request for {name} was just made: try again")));
    }
    let appended = audit::append_in(&mut db, &app.audit, drafts).await?;
    db.commit().await?;
    app.audit.saw(&appended);
    Ok(waits(app, operator, request).await?)
}

async fn waits(app: &App, operator: &Operator, request: SecretRequest) -> store::Result<SecretReadWaits> {
    let all = store::operators::list(&mut *app.store.connection().await?).await?;
    let others = all.into_iter().filter(|it| it.role == Role::Admin && it.name != operator.name);
    Ok(SecretReadWaits { request, approvers: others.map(|it| it.name).collect() })
}

/// A second admin agrees.
pub(crate) async fn approve(
    app: &App,
    operator: &Operator,
    address: IpAddr,
    id: &str,
) -> Result<SecretRequest, Denied> {
    let now = clock::now();
    let found = table::get(&mut *app.store.connection().await?, id).await?;
    let Some((request, outcome)) = found else {
        return Err(Denied::NoRequest(format!("there is no request {id}")));
    };
    let entry = || {
        let entry = audit::of_operator(operator, address, APPROVED, &request.secret).why(&request.reason);
        entry.detail("request", &request.id).detail("requested_by", &request.by)
    };
    if request.by == operator.name {
        let why = "who asks cannot approve: another admin must";
        app.audit.append(vec![entry().outcome(Outcome::Denied).detail("error", why).draft()]).await?;
        return Err(Denied::Policy(why.to_owned()));
    }
    let mut db = app.store.begin().await?;
    if !table::approve(&mut db, id, &operator.name, now).await? {
        drop(db);
        let why = match (&request.approved_by, outcome) {
            (Some(by), None) if request.until > now => format!("{by} has approved it already"),
            _ => "the request is over: have it asked again".to_owned(),
        };
        app.audit.append(vec![entry().outcome(Outcome::Failed).detail("error", &why).draft()]).await?;
        return Err(Denied::Busy(why));
    }
    let appended = audit::append_in(&mut db, &app.audit, vec![entry().draft()]).await?;
    db.commit().await?;
    app.audit.saw(&appended);
    Ok(SecretRequest { approved_by: Some(operator.name.clone()), ..request })
}

/// Requests that can be approved or used now, oldest first.
pub(crate) async fn open(app: &App) -> store::Result<Vec<SecretRequest>> {
    let now = clock::now();
    let open = table::open(&mut *app.store.connection().await?).await?;
    Ok(open.into_iter().filter(|it| it.until > now).collect())
}

/// Records those whose time is over. Gives how many there were.
pub(crate) async fn expire(app: &App) -> anyhow::Result<u64> {
    let now = clock::now();
    let open = table::open(&mut *app.store.connection().await?).await?;
    let mut count = 0;
    for request in open.iter().filter(|it| it.until <= now) {
        let mut db = app.store.begin().await?;
        if table::expire(&mut db, &request.id, now).await? {
            let appended = audit::append_in(&mut db, &app.audit, vec![expired(request).draft()]).await?;
            db.commit().await?;
            app.audit.saw(&appended);
            count += 1;
        }
    }
    table::prune(&mut *app.store.connection().await?, now - KEPT).await?;
    Ok(count)
}

fn expired(request: &SecretRequest) -> Entry {
    let approved = request.approved_by.clone().unwrap_or_default();
    audit::of_system(EXPIRED, &request.secret)
        .outcome(Outcome::Failed)
        .why(&request.reason)
        .detail("request", &request.id)
        .detail("requested_by", &request.by)
        .detail("approved_by", approved)
}
