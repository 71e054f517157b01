use std::collections::BTreeSet;

use ops_contract::{
    AuditActorKind, SecretConsumer, SecretSource, SecretSpec, SecretView, SecretsView, Timestamp,
};
use ops_engine::secrets::{SecretFacts, consumers as known, judge_secret};

use super::seen::{self, Seen};
use super::{hand, policy};
use crate::store::{self, audit as table};
use crate::{App, clock};

/// Reads of one secret that are looked through, newest first.
const READS: u32 = 500;

/// All secrets as they stand, the most urgent first.
pub(crate) async fn view(app: &App) -> store::Result<SecretsView> {
    let now = clock::now();
    let consumers = policy::consumers(&app.stack);
    let seen = seen::look(app).await?;
    let mut secrets = Vec::new();
    for (name, spec) in &app.stack.secrets {
        secrets.push(one(app, name, spec, (consumers.get(name), &seen), now).await?);
    }
    secrets.sort_by_key(|it| (std::cmp::Reverse(urgency(it)), it.tier, it.due_at));
    Ok(SecretsView { at: now, secrets, requests: Vec::new(), departures: Vec::new() })
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
    now: Timestamp,
) -> store::Result<SecretView> {
    let facts = app.vault.facts(name, &spec.source).await.unwrap_or_default();
    let place = place(name, &spec.source);
    let evidence = facts.changed_at.map(|_| match &facts.version {
        Some(version) => format!("version {version} in its store"),
        None => "its store says so".to_owned(),
    });
    let mut judged = SecretFacts {
        rotated_at: facts.changed_at,
        evidence,
        pending_since: facts.pending_since,
        ..SecretFacts::default()
    };
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
