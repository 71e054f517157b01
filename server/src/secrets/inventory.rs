use std::collections::BTreeSet;
use std::time::Duration;

use ops_contract::{
    AuditActorKind, SecretConsumer, SecretRotation, SecretSource, SecretSpec, SecretView, SecretsView,
    Timestamp,
};
use ops_engine::secrets::{PersonLeft, SecretFacts, consumers as known, judge_secret};

use super::seen::{self, Seen};
use super::stores::Facts;
use super::{approval, departed, hand, policy, rotate};
use crate::store::{self, audit as table};
use crate::{App, clock};

/// Reads of one secret that are looked through, newest first.
const READS: u32 = 500;
/// Clocks of stores go ahead of ours by no more.
const CLOCKS: Duration = Duration::from_secs(300);

/// All secrets as they stand, the most urgent first.
pub(crate) async fn view(app: &App) -> store::Result<SecretsView> {
    let now = clock::now();
    let consumers = policy::consumers(&app.stack);
    let departures = departed::shown(app, now).await?;
    let mut left = departed::left(&departures);
    let seen = seen::look(app).await?;
    let mut secrets = Vec::new();
    for (name, spec) in &app.stack.secrets {
        let left = left.remove(name).unwrap_or_default();
        secrets.push(one(app, name, spec, (consumers.get(name), &seen), left, now).await?);
    }
    secrets.sort_by_key(|it| (std::cmp::Reverse(urgency(it)), it.tier, it.due_at));
    let requests = approval::open(app).await?;
    Ok(SecretsView { at: now, secrets, requests, departures })
}

/// Worse states first.
const fn urgency(it: &SecretView) -> u8 {
    use ops_contract::SecretState as S;
    match it.state {
        S::Overdue => 6,
        S::Stuck => 5,
        S::SameValue => 4,
        S::ConsumerStale => 3,
        S::Unknown => 2,
        S::DueSoon => 1,
        S::Ok => 0,
    }
}

async fn one(
    app: &App,
    name: &str,
    spec: &SecretSpec,
    (services, seen): (Option<&BTreeSet<String>>, &Seen),
    left: Vec<PersonLeft>,
    now: Timestamp,
) -> store::Result<SecretView> {
    let facts = app.vault.facts(name, &spec.source).await.unwrap_or_default();
    let shown = shown(app, name, &facts).await?;
    let place = place(name, &spec.source);
    let pending_since = facts.pending_since.or(shown.pending_since);
    let mut judged = SecretFacts { pending_since, left, ..shown };
    seen.correct(name, facts.version.as_deref(), &mut judged);
    let (rotated_at, evidence) = (judged.rotated_at, judged.evidence.clone());
    let mut read_by = BTreeSet::new();
    seen.readers(name, spec, &mut judged, &mut read_by);
    let wanted =
        table::Wanted { action: hand::READ, subject: name, outcome: "allowed", ..Default::default() };
    let mut db = app.store.connection().await?;
    let reads = table::newest(&mut db, &wanted, READS).await?;
    drop(db);
    for row in &reads {
        let Some(entry) = row.entry().map(|it| crate::audit::entry_view(&it)) else { continue };
        match entry.actor_kind {
            AuditActorKind::Person if rotated_at.is_none_or(|at| entry.at >= at) => {
                read_by.insert(entry.actor);
            }
            AuditActorKind::Person => {}
            _ => {
                let last = judged.reads.entry(entry.actor).or_insert(entry.at);
                *last = (*last).max(entry.at);
            }
        }
    }
    let mut judgement = judge_secret(spec, &judged, now);
    let same_as = seen.same_as(name);
    if !same_as.is_empty() {
        let others = same_as.join(", ");
        judgement.reason = format!("{} The same value lies at {others}.", judgement.reason);
    }
    let mut consumers: Vec<SecretConsumer> = known(&judged);
    let never = services.into_iter().flatten().chain(&spec.consumers);
    for other in never.filter(|it| !judged.reads.contains_key(*it)) {
        consumers.push(SecretConsumer { name: other.clone(), read_at: None, is_stale: false });
    }
    Ok(SecretView {
        name: name.to_owned(),
        category: spec.category,
        place,
        owner: spec.owner.clone(),
        tier: spec.tier,
        state: judgement.state,
        reason: judgement.reason,
        rotated_at,
        evidence,
        due_at: judgement.due_at,
        max_age_s: spec.max_age.map(|it| it.as_secs()),
        on_departure: spec.on_departure,
        consumers,
        read_by: read_by.into_iter().collect(),
        approval: spec.approval,
    })
}

/// When it was renewed last and what shows it, and whether a renewal is under way or came to nothing.
///
/// What the store says of its value counts; where it says nothing, and for what shows it, the newest entry that tells of a
/// renewal.
async fn shown(app: &App, name: &str, facts: &Facts) -> store::Result<SecretFacts> {
    let wanted =
        table::Wanted { action: rotate::ROTATED, subject: name, outcome: "allowed", ..Default::default() };
    let mut db = app.store.connection().await?;
    let entry = table::newest(&mut db, &wanted, 1).await?.into_iter().find_map(|it| it.entry());
    let print = store::secret_prints::get(&mut db, name).await?;
    let open = store::secret_rotations::open_of(&mut db, name).await?;
    drop(db);
    let entry = entry.map(|it| (Timestamp(it.time_ms * 1_000), it.seq));
    let (rotated_at, evidence) = match (facts.changed_at, entry) {
        (Some(changed), Some((at, seq))) if at + CLOCKS >= changed => (Some(changed), Some(of_entry(seq))),
        (Some(changed), _) => {
            let version = facts.version.as_ref().map(|it| format!("version {it} in its store"));
            (Some(changed), Some(version.unwrap_or_else(|| "its store says so".to_owned())))
        }
        (None, Some((at, seq))) => (Some(at), Some(of_entry(seq))),
        (None, None) => (None, None),
    };
    let is_under_way = |it: &SecretRotation| it.method != "manual" && !it.phase.is_renewed();
    Ok(SecretFacts {
        rotated_at,
        evidence,
        pending_since: open.filter(is_under_way).map(|it| it.began_at),
        same_value: print.is_some_and(|it| it.same_at_us.is_some()),
        ..SecretFacts::default()
    })
}

fn of_entry(seq: u64) -> String {
    format!("audit entry {seq}")
}

fn place(name: &str, source: &SecretSource) -> String {
    match source {
        SecretSource::Env { variable } => format!("variable {variable}"),
        SecretSource::Generated => format!("encrypted file, {name} (made at random)"),
        SecretSource::EncryptedFile => format!("encrypted file, {name}"),
        SecretSource::Vault { mount, path, field } => format!("vault {mount}/{path}#{field}"),
        SecretSource::AwsSecretsManager { id, field: None } => format!("AWS Secrets Manager {id}"),
        SecretSource::AwsSecretsManager { id, field: Some(field) } => {
            format!("AWS Secrets Manager {id}#{field}")
        }
    }
}
