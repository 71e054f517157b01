//! Who left, and what is to be renewed because of it: from the audit log, ours and what other systems told.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ops_audit::entry::Outcome;
use ops_contract::{Departure, DepartureWork, Operator, Timestamp};
use ops_engine::findings::read_of;
use ops_engine::secrets::{Exposure, PersonLeft, SecretRead, exposure};
use sqlx::AnyConnection;

use super::hand::Denied;
use crate::store::{self, audit as log, departures as table, findings};
use crate::{App, audit};

const DEPARTED: &str = "person.departed";
/// What says that a secret has a new value. `secret.set` is written before the value is in force, and again when it failed.
const SET: &str = "secret.set";
const ROTATED: &str = "secret.rotated";
/// Renewals that are looked through, newest first. What is older shows less: then more is on the list, never less.
const RENEWALS: u32 = 5_000;
/// Newest entries that the rules have not read yet; beyond that the list is not given.
const TAIL: u64 = 50_000;
const BATCH: u32 = 1_000;
/// So long somebody is shown whose work is done.
const SHOWN: Duration = Duration::from_secs(30 * 86_400);

/// When a person read what last.
type Reads = BTreeMap<String, BTreeMap<String, SecretRead>>;

/// Notes that somebody left: from now on what they could know is to be renewed, and nobody comes under that name.
pub(crate) async fn depart(
    app: &App,
    operator: &Operator,
    address: IpAddr,
    person: &str,
    at: Timestamp,
) -> Result<Departure, Denied> {
    let told = audit::of_operator(operator, address, DEPARTED, person).detail("left_at_us", at.0.to_string());
    let mut db = app.store.begin().await?;
    let appended = audit::append_in(&mut db, &app.audit, vec![told.draft()]).await?;
    let entry = appended.first().map(|it| it.entry.seq).unwrap_or_default();
    table::put(&mut db, person, at, entry).await?;
    db.commit().await?;
    app.audit.saw(&appended);
    let all = departures(app).await?;
    let nothing = Departure { person: person.to_owned(), at, work: Vec::new() };
    Ok(all.into_iter().find(|it| it.person == person).unwrap_or(nothing))
}

/// Everybody whose work is not done, or who left of late; who left last comes first.
pub(super) async fn shown(app: &App, now: Timestamp) -> store::Result<Vec<Departure>> {
    let mut all = departures(app).await?;
    all.retain(|it| now.since(it.at) < SHOWN || it.work.iter().any(|work| work.closed_at.is_none()));
    Ok(all)
}

/// Who left and could know each secret as it is now.
pub(super) fn left(departures: &[Departure]) -> BTreeMap<String, Vec<PersonLeft>> {
    let mut left: BTreeMap<String, Vec<PersonLeft>> = BTreeMap::new();
    for departure in departures {
        let open = |it: &&DepartureWork| it.closed_at.is_none();
        for work in departure.work.iter().filter(open) {
            let person = PersonLeft { person: departure.person.clone(), at: departure.at };
            left.entry(work.secret.clone()).or_default().push(person);
        }
    }
    left
}

async fn departures(app: &App) -> store::Result<Vec<Departure>> {
    let mut db = app.store.connection().await?;
    let departed = table::all(&mut db).await?;
    if departed.is_empty() {
        return Ok(Vec::new());
    }
    let reads = reads(&mut db, &departed).await?;
    let rotations = rotations(&mut db).await?;
    drop(db);
    let none = BTreeMap::new();
    let of = |(person, at): (&String, &Timestamp)| Departure {
        person: person.clone(),
        at: *at,
        work: exposure(&Exposure {
            person,
            left_at: *at,
            secrets: &app.stack.secrets,
            reads: reads.get(person).unwrap_or(&none),
            rotations: &rotations,
        }),
    };
    let mut all: Vec<Departure> = departed.iter().map(of).collect();
    all.sort_by(|a, b| (b.at, &a.person).cmp(&(a.at, &b.person)));
    Ok(all)
}

/// What everybody who left read last when, up to the log's end.
async fn reads(db: &mut AnyConnection, departed: &BTreeMap<String, Timestamp>) -> store::Result<Reads> {
    let mut from = findings::reads_next(db).await?;
    let mut reads: Reads = BTreeMap::new();
    for (person, secret, read) in table::reads_of_departed(db).await? {
        reads.entry(person).or_default().insert(secret, read);
    }
    let end = log::head(db).await?.size();
    if end.saturating_sub(from) > TAIL {
        let words =
            "the audit log is still being read through for what those who left have read: try again soon";
        return Err(sqlx::Error::Protocol(words.to_owned()));
    }
    while from < end {
        let rows = log::rows(db, from, end, BATCH).await?;
        let Some(last) = rows.last() else { break };
        from = u64::try_from(last.seq).unwrap_or(u64::MAX).saturating_add(1);
        for entry in rows.iter().map(audit::row_view) {
            let Some(by) = read_of(&entry) else { continue };
            for person in by.names.iter().filter(|it| departed.contains_key(**it)) {
                let theirs = reads.entry((*person).to_owned()).or_default();
                theirs.insert(by.secret.to_owned(), by.read);
            }
        }
    }
    Ok(reads)
}

/// When each secret got another value, by the audit log.
async fn rotations(db: &mut AnyConnection) -> store::Result<BTreeMap<String, Vec<Timestamp>>> {
    let mut rotations: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
    for action in [SET, ROTATED] {
        // Of a value that was set: whether the entry after it says that it was not.
        let mut failed: BTreeMap<String, bool> = BTreeMap::new();
        let wanted = log::Wanted { action, ..log::Wanted::default() };
        for row in log::newest(db, &wanted, RENEWALS).await? {
            let Some(entry) = row.entry().filter(|it| it.action == action) else { continue };
            let is_failed = failed.insert(entry.subject.clone(), entry.outcome == Outcome::Failed);
            let is_same = action == SET && entry.details.contains_key("value");
            if entry.outcome == Outcome::Allowed && !is_same && is_failed != Some(true) {
                let at = Timestamp(entry.time_ms.saturating_mul(1_000));
                rotations.entry(entry.subject).or_default().push(at);
            }
        }
    }
    Ok(rotations)
}
