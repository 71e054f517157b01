//! The log in the store, attacked by somebody who may write everything there and knows how it is made, but has neither the key nor
//! what lies outside.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ops_audit::chain::Head;
use ops_audit::entry::{Draft, Entry};
use ops_audit::key::{LocalKey, Signer};
use ops_contract::{AnchorSpec, Role};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AnyPool, Executor, Row};
use tempfile::TempDir;

use crate::harness::{Server, sqlite};
use crate::testing::Postgres;

const ORIGIN: &str = "insightdesk/test/audit";
const TABLES: [&str; 4] = ["audit_entries", "audit_head", "audit_checkpoints", "audit_keys"];

async fn start(database: &str, folder: &TempDir) -> Server {
    let mut config = Server::config(database);
    config.state_dir = Some(folder.path().to_owned());
    config.stack.audit.seal_every = Duration::from_secs(1);
    config.stack.audit.anchor_every = Duration::from_secs(1);
    config.stack.audit.anchors = vec![AnchorSpec::File { path: outside(folder).display().to_string() }];
    Server::start_on(config).await
}

fn outside(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("outside")
}

/// Makes entries: what is asked for is refused.
async fn make_entries(server: &Server, count: usize) {
    for _ in 0..count {
        let read = server.ask(Role::Admin, Method::POST, "/api/secrets/NONE/read");
        assert_eq!(read.json(&json!({ "reason": "a test" })).send().await.unwrap().status(), 404);
    }
}

/// What `POST /api/audit/verify` says, and whether it says that all is well.
async fn verify(server: &Server) -> (bool, String) {
    let answer = server.ask(Role::Admin, Method::POST, "/api/audit/verify").send().await.unwrap();
    let status = answer.status().as_u16();
    let said = answer.json::<Value>().await.unwrap();
    let is_well = status == 200
        && said["integrity"] == "intact"
        && said["completeness"] != "broken"
        && said["fault"].is_null();
    (is_well, said.to_string())
}

struct Store(AnyPool);

impl Store {
    async fn open(database: &str) -> Self {
        sqlx::any::install_default_drivers();
        Self(AnyPool::connect(database).await.unwrap())
    }

    async fn run(&self, sql: &str) {
        for statement in sql.split(';') {
            self.0.execute(sqlx::AssertSqlSafe(statement.to_owned())).await.unwrap();
        }
    }

    async fn entries(&self) -> Vec<Entry> {
        let rows =
            sqlx::query("SELECT body FROM audit_entries ORDER BY seq").fetch_all(&self.0).await.unwrap();
        let bodies = rows.iter().map(|it| STANDARD.decode(it.get::<String, _>(0)).unwrap());
        bodies.map(|it| Entry::decode(&it).unwrap()).collect()
    }

    /// Makes the log anew of these entries: hashes, links, tree and end, as we would.
    async fn rewrite(&self, entries: Vec<Entry>) -> Head {
        self.run("DELETE FROM audit_entries").await;
        let mut head = Head::new(ORIGIN).unwrap();
        for entry in entries {
            let time = entry.time_ms;
            let draft = Draft {
                salt: entry.salt,
                actor: entry.actor,
                action: entry.action,
                subject: entry.subject,
                purpose: entry.purpose,
                outcome: entry.outcome,
                source: entry.source,
                details: entry.details,
            };
            let made = head.append(draft, time).unwrap();
            let outcome = serde_json::to_value(made.entry.outcome).unwrap();
            sqlx::query(
                "INSERT INTO audit_entries (seq, time_ms, actor, action, subject, outcome, body, leaf, link)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(i64::try_from(made.entry.seq).unwrap())
            .bind(made.entry.time_ms)
            .bind(made.entry.actor.name)
            .bind(made.entry.action)
            .bind(made.entry.subject)
            .bind(outcome.as_str().unwrap())
            .bind(STANDARD.encode(&made.bytes))
            .bind(made.leaf.to_string())
            .bind(made.link.to_string())
            .execute(&self.0)
            .await
            .unwrap();
        }
        sqlx::query("UPDATE audit_head SET size = $1, link = $2, head = $3 WHERE id = 1")
            .bind(i64::try_from(head.size()).unwrap())
            .bind(head.link.to_string())
            .bind(serde_json::to_string(&head).unwrap())
            .execute(&self.0)
            .await
            .unwrap();
        head
    }

    async fn keep(&self, name: &str) {
        for table in TABLES {
            self.run(&format!("CREATE TABLE {name}_{table} AS SELECT * FROM {table}")).await;
        }
    }

    async fn put_back(&self, name: &str) {
        for table in TABLES {
            self.run(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM {name}_{table}")).await;
        }
    }
}

/// Entry 5 says something else than it did.
fn changed(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries[5].purpose = Some("nothing happened".to_owned());
    entries
}

async fn whoever_knows_how_it_is_made_is_found(database: &str, folder: &TempDir) {
    let server = start(database, folder).await;
    make_entries(&server, 6).await;
    let store = Store::open(database).await;
    store.keep("old").await;
    make_entries(&server, 6).await;
    let made = store.entries().await.len() as u64;
    server
        .eventually("mark and anchor of all of them", async |it| {
            let view = it.ask(Role::Admin, Method::GET, "/api/audit").send().await.unwrap();
            let view = view.json::<Value>().await.unwrap();
            let mark = std::fs::read(folder.path().join("audit.mark")).ok()?;
            let mark: Value = serde_json::from_slice(&mark).ok()?;
            let anchored = view["state"]["anchors"][0]["entries"].as_u64()?;
            (anchored >= made && mark["size"].as_u64()? >= made).then_some(())
        })
        .await;
    let (well, said) = verify(&server).await;
    assert!(well, "{said}");
    // Nothing is written while the server is stopped: each attack starts from the same log.
    server.stop().await;
    store.keep("now").await;
    let kept: Vec<(String, Vec<u8>)> = ["audit.mark", "audit.key", "audit.pub", "outside"]
        .into_iter()
        .map(|it| (it.to_owned(), std::fs::read(folder.path().join(it)).unwrap()))
        .collect();

    for attack in [
        "linked anew",
        "linked anew without seals",
        "cut and gone on",
        "an older backup",
        "emptied",
        "with another key",
        "an anchor is gone",
    ] {
        for is_running in [true, false] {
            store.put_back("now").await;
            for (name, bytes) in &kept {
                std::fs::write(folder.path().join(name), bytes).unwrap();
            }
            let server = if is_running { Some(start(database, folder).await) } else { None };
            store.do_it(attack, folder).await;
            let server = match server {
                Some(server) => server,
                None => start(database, folder).await,
            };
            let (well, said) = verify(&server).await;
            assert!(!well, "{attack}, server running: {is_running}: {said}");
            server.stop().await;
        }
    }
}

impl Store {
    async fn do_it(&self, attack: &str, folder: &TempDir) {
        let entries = self.entries().await;
        match attack {
            "linked anew" => drop(self.rewrite(changed(entries)).await),
            "linked anew without seals" => {
                self.rewrite(changed(entries)).await;
                self.run("DELETE FROM audit_checkpoints WHERE size > 5").await;
            }
            "cut and gone on" => {
                let more = entries[6..].iter().chain(&entries[1..6]).cloned();
                let last = entries[entries.len() - 1].time_ms;
                let more = more.map(|it| Entry { time_ms: last, ..it });
                let all: Vec<Entry> = entries[..6].iter().cloned().chain(more).collect();
                assert!(all.len() > entries.len());
                self.rewrite(changed(all)).await;
                self.run("DELETE FROM audit_checkpoints WHERE size > 5").await;
            }
            "an older backup" => self.put_back("old").await,
            "emptied" => {
                self.rewrite(Vec::new()).await;
                self.run("DELETE FROM audit_checkpoints; DELETE FROM audit_keys").await;
            }
            "with another key" => {
                let mut head = self.rewrite(changed(entries)).await;
                let key = LocalKey::from_seed(ORIGIN, &[7; 32]).unwrap();
                let checkpoint = head.checkpoint(head.time_ms);
                let (size, time_ms) = (checkpoint.size, checkpoint.time_ms);
                let signed = checkpoint.sign(&key).unwrap().to_string();
                let public = key.public().to_string();
                self.run(&format!(
                    "DELETE FROM audit_checkpoints; DELETE FROM audit_keys;
                     INSERT INTO audit_checkpoints (size, time_ms, checkpoint) VALUES ({size}, {time_ms}, '{signed}');
                     INSERT INTO audit_keys (key, since_seq) VALUES ('{public}', 0)"
                ))
                .await;
            }
            "an anchor is gone" => {
                std::fs::write(outside(folder), "").unwrap();
                // The store cannot show either what it had laid down.
                self.run("DELETE FROM audit_checkpoints WHERE size > 8").await;
                self.rewrite(changed(entries)).await;
            }
            other => unreachable!("{other}"),
        }
    }
}

#[tokio::test]
async fn whoever_knows_how_it_is_made_is_found_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    whoever_knows_how_it_is_made_is_found(&sqlite(&folder), &folder).await;
}

#[tokio::test]
async fn whoever_knows_how_it_is_made_is_found_in_postgresql() {
    let postgres = Postgres::start().await;
    whoever_knows_how_it_is_made_is_found(&postgres.url, &tempfile::tempdir().unwrap()).await;
}
