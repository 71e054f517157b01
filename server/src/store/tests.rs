//! Every test runs on SQLite and on PostgreSQL.

use std::time::Duration;

use ops_contract::{
    Action, ActionCause, ActionKind, ActionStatus, AgentName, Alert, AlertState, ChangeKind, Exit,
    ExitReason, Operator, QueueCommand, QueueCommandStatus, QueueOperation, ReplicaId, Role, ServiceName,
    Timestamp,
};

use super::rolling::Wish;
use super::*;
use crate::testing::Postgres;

const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

fn id(slot: u16) -> ReplicaId {
    ReplicaId { service: ServiceName::from("api"), slot }
}

fn action(name: &str, slot: u16) -> Action {
    Action {
        id: name.to_owned(),
        kind: ActionKind::Start,
        replica: id(slot),
        generation: 1,
        cause: ActionCause::StackStart,
        reason: "because".to_owned(),
        requested_by: "engine".to_owned(),
        requested_at: NOW,
        status: ActionStatus::Requested,
        error: None,
        finished_at: None,
    }
}

/// All in one: starting PostgreSQL costs more than the tests.
#[tokio::test]
async fn the_store_keeps_its_promises_on_both_databases() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let sqlite = Store::open(&format!("sqlite://{}", file.display())).await.unwrap();
    let server = Postgres::start().await;
    let postgres = Store::open(&server.url).await.unwrap();
    for store in [&sqlite, &postgres] {
        one_open_action_per_slot(store).await;
        leases_move_to_a_new_session(store).await;
        generations_only_grow(store).await;
        exits_are_kept_once_and_count_until_a_reset(store).await;
        links_are_used_once(store).await;
        the_plan_is_leased_to_one_holder(store).await;
        changes_come_in_pages_by_subject(store).await;
        queue_commands_end_once(store).await;
        wishes_and_names_survive(store).await;
        alerts_live_once_and_are_kept(store).await;
    }
    postgres.close().await;
}

async fn one_open_action_per_slot(store: &Store) {
    let mut db = store.connection().await.unwrap();
    let agent = AgentName::from("local");
    assert!(actions::insert(&mut db, &action("a1", 0), &agent).await.unwrap());
    assert!(!actions::insert(&mut db, &action("a2", 0), &agent).await.unwrap());
    assert!(actions::insert(&mut db, &action("a3", 1), &agent).await.unwrap());
    assert_eq!(actions::open(&mut db).await.unwrap().len(), 2);
}

async fn leases_move_to_a_new_session(store: &Store) {
    let mut db = store.connection().await.unwrap();
    let agent = AgentName::from("local");
    let until = NOW + Duration::from_secs(60);
    let first = actions::lease(&mut db, &agent, "one", NOW, until).await.unwrap();
    assert_eq!(first.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["a1", "a3"]);
    assert!(actions::lease(&mut db, &agent, "one", NOW, until).await.unwrap().is_empty());
    assert!(actions::lease(&mut db, &AgentName::from("other"), "x", NOW, until).await.unwrap().is_empty());
    assert_eq!(actions::lease(&mut db, &agent, "two", NOW, until).await.unwrap().len(), 2);
    assert!(actions::extend(&mut db, "a1", &agent, until + Duration::from_secs(5)).await.unwrap());
    assert_eq!(actions::expire(&mut db, until + Duration::from_secs(1)).await.unwrap(), 1);

    let done = actions::finish(&mut db, "a1", &agent, ActionStatus::Succeeded, None, until).await.unwrap();
    assert_eq!(done.unwrap().status, ActionStatus::Succeeded);
    let again = actions::finish(&mut db, "a1", &agent, ActionStatus::Failed, Some("x"), until).await.unwrap();
    assert!(again.is_none());
    assert!(actions::exists(&mut db, "a1", &agent).await.unwrap());
    assert_eq!(actions::cancel_requested(&mut db, None, NOW).await.unwrap(), 1);
    assert!(actions::open(&mut db).await.unwrap().is_empty());
    let listed = actions::list(&mut db, None, 10).await.unwrap();
    assert_eq!(listed[0].status, ActionStatus::Cancelled);
    assert_eq!(actions::ended_since(&mut db, NOW).await.unwrap().len(), 1);
}

async fn generations_only_grow(store: &Store) {
    let mut db = store.begin().await.unwrap();
    assert_eq!(slots::next_generation(&mut db, &id(0), 0).await.unwrap(), 1);
    assert_eq!(slots::next_generation(&mut db, &id(0), 0).await.unwrap(), 2);
    // An agent that knows more than the store, as after a lost store.
    assert_eq!(slots::next_generation(&mut db, &id(0), 7).await.unwrap(), 8);
    db.commit().await.unwrap();
}

async fn exits_are_kept_once_and_count_until_a_reset(store: &Store) {
    let mut db = store.connection().await.unwrap();
    let exit = Exit {
        replica: id(0),
        generation: 8,
        reason: ExitReason::Failed,
        code: Some(1),
        signal: None,
        meaning: "exit code 1".to_owned(),
        started_at: None,
        at: NOW,
        last_lines: Vec::new(),
    };
    assert!(exits::insert(&mut db, &exit).await.unwrap());
    assert!(!exits::insert(&mut db, &exit).await.unwrap());
    assert_eq!(exits::list(&mut db, &id(0), None, 5).await.unwrap(), [exit]);
    assert_eq!(exits::since_reset(&mut db).await.unwrap()[&id(0)].len(), 1);
    slots::reset(&mut db, &ServiceName::from("api"), 0).await.unwrap();
    assert!(exits::since_reset(&mut db).await.unwrap().is_empty());
}

async fn links_are_used_once(store: &Store) {
    let mut db = store.connection().await.unwrap();
    links::insert(&mut db, "hash", "anna", NOW + Duration::from_secs(1)).await.unwrap();
    assert_eq!(links::take(&mut db, "hash", NOW).await.unwrap().as_deref(), Some("anna"));
    assert_eq!(links::take(&mut db, "hash", NOW).await.unwrap(), None);
    links::insert(&mut db, "late", "anna", NOW).await.unwrap();
    assert_eq!(links::take(&mut db, "late", NOW).await.unwrap(), None);
    assert_eq!(links::prune(&mut db, NOW).await.unwrap(), 1);
}

async fn the_plan_is_leased_to_one_holder(store: &Store) {
    let mut db = store.connection().await.unwrap();
    let until = NOW + Duration::from_secs(10);
    assert!(leases::take(&mut db, "plan", "one", NOW, until).await.unwrap());
    assert!(!leases::take(&mut db, "plan", "two", NOW, until).await.unwrap());
    assert!(leases::take(&mut db, "plan", "one", NOW, until).await.unwrap());
    let later = until + Duration::from_secs(1);
    assert!(leases::take(&mut db, "plan", "two", later, later).await.unwrap());
    leases::release(&mut db, "plan", "two").await.unwrap();
    assert!(leases::take(&mut db, "plan", "one", NOW, until).await.unwrap());
}

async fn changes_come_in_pages_by_subject(store: &Store) {
    let mut db = store.connection().await.unwrap();
    for subject in ["api", "api/0", "api-gateway", "worker"] {
        let change = changes::new(ChangeKind::State, subject, "engine", "it changed", NOW);
        changes::insert(&mut db, &change).await.unwrap();
    }
    let about = changes::list(&mut db, None, Some("api"), 10).await.unwrap();
    let subjects: Vec<&str> = about.iter().map(|it| it.subject.as_str()).collect();
    assert_eq!(subjects, ["api/0", "api"]);
    let first = changes::list(&mut db, None, None, 3).await.unwrap();
    let rest = changes::list(&mut db, Some(&first[2].id), None, 3).await.unwrap();
    assert_eq!((first.len(), rest.len()), (3, 1));
    assert_eq!(changes::prune(&mut db, NOW + Duration::from_secs(1)).await.unwrap(), 4);
}

fn queue_command(id: &str, operation: QueueOperation) -> QueueCommand {
    QueueCommand {
        id: id.to_owned(),
        store: "valkey.main".to_owned(),
        queue: "email".to_owned(),
        operation,
        requested_by: "anna".to_owned(),
        requested_at: NOW,
    }
}

async fn queue_commands_end_once(store: &Store) {
    use queue_commands::{End, Terms};
    let mut db = store.connection().await.unwrap();
    let agent = AgentName::from("local");
    let later = |seconds| NOW + Duration::from_secs(seconds);
    for (id, operation, fits) in [
        ("q1", QueueOperation::PromoteDelayed { limit: 10 }, true),
        ("q2", QueueOperation::Pause, false),
        ("q3", QueueOperation::LookAt { job_id: "7".to_owned() }, true),
    ] {
        let written = queue_commands::insert(&mut db, &queue_command(id, operation), &agent).await.unwrap();
        assert_eq!(written, fits, "{id}");
    }
    let terms = |now| Terms { now, until: now + Duration::from_secs(30), oldest: NOW };
    let taken = queue_commands::lease(&mut db, &agent, "one", terms(NOW)).await.unwrap();
    assert_eq!(taken.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["q1", "q3"]);
    assert!(queue_commands::lease(&mut db, &agent, "one", terms(NOW)).await.unwrap().is_empty());
    assert!(queue_commands::extend(&mut db, "q1", &agent, 4, later(30)).await.unwrap());
    let again = queue_commands::lease(&mut db, &agent, "two", terms(NOW)).await.unwrap();
    assert_eq!(again[0].operation, QueueOperation::PromoteDelayed { limit: 6 });
    let end = End { status: QueueCommandStatus::Succeeded, done: 6, more: true, error: None };
    let ended = queue_commands::finish(&mut db, "q1", &agent, end, later(1)).await.unwrap().unwrap();
    assert_eq!((ended.done, ended.more, ended.finished_at), (10, true, Some(later(1))));
    assert!(queue_commands::finish(&mut db, "q1", &agent, end, later(1)).await.unwrap().is_none());
    assert!(queue_commands::exists(&mut db, "q1", &agent).await.unwrap());
    assert!(!queue_commands::exists(&mut db, "q1", &AgentName::from("other")).await.unwrap());

    // The look's agent has been silent since; a pause is taken by nobody.
    queue_commands::insert(&mut db, &queue_command("q4", QueueOperation::Pause), &agent).await.unwrap();
    assert!(queue_commands::open(&mut db, "valkey.main", "email").await.unwrap().is_some());
    let late = Terms { oldest: later(1), ..terms(NOW) };
    assert!(queue_commands::lease(&mut db, &agent, "two", late).await.unwrap().is_empty());
    let given_up = queue_commands::expire(&mut db, later(1), later(31), later(40)).await.unwrap();
    let mut words: Vec<String> = given_up.into_iter().filter_map(|it| it.error).collect();
    words.sort();
    assert_eq!(words.len(), 2);
    assert!(words[0].starts_with("no agent") && words[1].starts_with("the agent"), "{words:?}");
    let listed = queue_commands::list(&mut db, "valkey.main", "email", Some("q4"), 1).await.unwrap();
    assert_eq!((listed.len(), listed[0].status), (1, QueueCommandStatus::Expired));
    assert_eq!(queue_commands::prune(&mut db, later(41)).await.unwrap(), 3);
    assert!(queue_commands::get(&mut db, "q1").await.unwrap().is_none());
}

async fn wishes_and_names_survive(store: &Store) {
    let mut db = store.connection().await.unwrap();
    let service = ServiceName::from("api");
    let wish = |slot| Wish {
        service: service.clone(),
        slot,
        patient: true,
        requested_by: "anna".to_owned(),
        reason: String::new(),
    };
    rolling::insert(&mut db, &wish(0), NOW).await.unwrap();
    rolling::insert(&mut db, &wish(1), NOW).await.unwrap();
    let wishes = rolling::list(&mut db).await.unwrap();
    assert_eq!(rolling::grouped(&wishes)[0].slots, [0, 1]);
    rolling::remove_from(&mut db, &service, 1).await.unwrap();
    rolling::remove(&mut db, &id(0)).await.unwrap();
    assert!(rolling::list(&mut db).await.unwrap().is_empty());

    services::set_desired(&mut db, &service, 3, "anna", NOW).await.unwrap();
    services::set_desired(&mut db, &service, 2, "anna", NOW).await.unwrap();
    assert_eq!(services::desired(&mut db).await.unwrap()[&service], 2);

    let anna = Operator { name: "anna".to_owned(), role: Role::Operator };
    assert!(operators::insert(&mut db, &anna, "tid", "hash", NOW).await.unwrap());
    assert!(!operators::insert(&mut db, &anna, "tid2", "hash", NOW).await.unwrap());
    assert_eq!(operators::by_token_id(&mut db, "tid").await.unwrap(), Some((anna, "hash".to_owned())));

    meta::set(&mut db, meta::INTENT, "stopped").await.unwrap();
    assert_eq!(meta::get(&mut db, meta::INTENT).await.unwrap().as_deref(), Some("stopped"));
}

async fn alerts_live_once_and_are_kept(store: &Store) {
    let mut db = store.connection().await.unwrap();
    let alert = |id: &str, state, resolved: Option<i64>| Alert {
        id: id.to_owned(),
        fingerprint: "00ff".to_owned(),
        rule: "team/api/ApiDown#0".to_owned(),
        state,
        labels: [("alertname".to_owned(), "ApiDown".to_owned())].into(),
        annotations: [("summary".to_owned(), "down".to_owned())].into(),
        generator_url: String::new(),
        value: f64::NAN,
        active_at: NOW,
        fired_at: None,
        keep_firing_since: None,
        no_data_since: None,
        resolved_at: resolved.map(Timestamp),
    };
    alerts::upsert(&mut db, &alert("a", AlertState::Pending, None)).await.unwrap();
    alerts::upsert(&mut db, &alert("a", AlertState::Firing, None)).await.unwrap();
    assert!(alerts::upsert(&mut db, &alert("b", AlertState::Pending, None)).await.is_err());
    let living = alerts::living(&mut db, NOW).await.unwrap();
    assert_eq!(living.len(), 1);
    assert!(living[0].state == AlertState::Firing && living[0].value.is_nan());
    alerts::upsert(&mut db, &alert("a", AlertState::Resolved, Some(NOW.0 + 1))).await.unwrap();
    alerts::upsert(&mut db, &alert("b", AlertState::Pending, None)).await.unwrap();
    assert_eq!(alerts::living(&mut db, NOW).await.unwrap().len(), 2);
    assert_eq!(alerts::living(&mut db, Timestamp(NOW.0 + 1)).await.unwrap().len(), 1);
    let past = alerts::history(&mut db, None, 10).await.unwrap();
    assert_eq!(past.len(), 1);
    let before = (Timestamp(NOW.0 + 1), "a");
    assert!(alerts::history(&mut db, Some(before), 10).await.unwrap().is_empty());
    let files = [("/rules.yml".to_owned(), "groups: []".to_owned())].into();
    rule_files::replace(&mut db, &files).await.unwrap();
    assert_eq!(rule_files::all(&mut db).await.unwrap(), files);
    alerts::delete(&mut db, "b").await.unwrap();
    assert_eq!(alerts::prune(&mut db, Timestamp(NOW.0 + 2)).await.unwrap(), 1);
    assert!(alerts::living(&mut db, Timestamp(0)).await.unwrap().is_empty());
}
