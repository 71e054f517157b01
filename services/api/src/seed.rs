//! Development data: two organisations, their people and some tickets. Bringing it in again changes nothing.

use std::time::Duration;

use anyhow::Context;
use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use ops_program::database::{self, Schema};
use ops_tasks::{Backoff, Supervisor};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Config;

/// The password of every seeded user. Known to everybody, hence refused in production.
pub const PASSWORD: &str = "insightdesk-dev";

/// Pause between two looks for the schema.
const POLL: Duration = Duration::from_millis(20);

const ORGANISATIONS: [(&str, &str); 2] = [("Acme", "acme"), ("Globex", "globex")];
const PEOPLE: [(&str, &str); 3] = [("admin", "admin"), ("agent", "agent"), ("customer", "customer")];
const SUBJECTS: [(&str, &str); 3] = [
    ("Invoice shows the wrong address", "normal"),
    ("Cannot sign in since this morning", "high"),
    ("How do I add a colleague?", "low"),
];

/// Brings the schema and the data in, and ends.
pub async fn seed(config: Config) -> anyhow::Result<()> {
    let pool = database::pool(&config.primary, "insightdesk-seed")?;
    let supervisor = Supervisor::new(CancellationToken::new());
    let schema = Schema::bring_up_to_date(&supervisor, &pool);
    let ready = async {
        while schema.clone().check().await.is_err() {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ready)
        .await
        .context("the database did not come within a minute")?;
    insert(&pool).await
}

/// Brings the data in once the schema is in place.
pub(crate) fn when_ready(supervisor: &Supervisor, pool: &PgPool, schema: &Schema) {
    let (pool, schema) = (pool.clone(), schema.clone());
    let backoff = Backoff { first: Duration::from_millis(50), max: Duration::from_millis(500) };
    supervisor.spawn_service("seed", backoff, move |stop| {
        let (pool, schema) = (pool.clone(), schema.clone());
        async move {
            // That the schema is not there yet is told by readiness, and is no failure of this.
            let there = async {
                while schema.clone().check().await.is_err() {
                    tokio::time::sleep(POLL).await;
                }
            };
            match stop.run_until_cancelled(there).await {
                Some(()) => insert(&pool).await,
                None => Ok(()),
            }
        }
    });
}

async fn insert(pool: &PgPool) -> anyhow::Result<()> {
    let mut transaction = pool.begin().await?;
    // Programs that start together seed one after the other; the second finds everything there.
    sqlx::query("SELECT pg_advisory_xact_lock(7310463)").execute(&mut *transaction).await?;
    let seeded: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM users WHERE email = 'admin@acme.example')")
            .fetch_one(&mut *transaction)
            .await?;
    if seeded {
        return Ok(());
    }
    let hash = tokio::task::spawn_blocking(|| {
        Argon2::default().hash_password(PASSWORD.as_bytes()).map(|hash| hash.to_string())
    });
    let hash = hash.await?.context("could not hash the development password")?;
    for (organisation_name, domain) in ORGANISATIONS {
        let organisation = Uuid::now_v7();
        sqlx::query("INSERT INTO organisations (id, name) VALUES ($1, $2)")
            .bind(organisation)
            .bind(organisation_name)
            .execute(&mut *transaction)
            .await?;
        let mut requester = organisation;
        for (name, role) in PEOPLE {
            requester = Uuid::now_v7();
            sqlx::query("INSERT INTO users (id, organisation_id, email, name, role, password_hash) VALUES ($1, $2, $3, $4, $5, $6)")
                .bind(requester)
                .bind(organisation)
                .bind(format!("{name}@{domain}.example"))
                .bind(format!("{organisation_name} {name}"))
                .bind(role)
                .bind(&hash)
                .execute(&mut *transaction)
                .await?;
        }
        for (subject, priority) in SUBJECTS {
            sqlx::query(
                "INSERT INTO tickets (id, organisation_id, requester_id, subject, description, priority, sla_due_at)
                 VALUES ($1, $2, $3, $4, $4, $5, now() + interval '1 day')",
            )
            .bind(Uuid::now_v7())
            .bind(organisation)
            .bind(requester)
            .bind(subject)
            .bind(priority)
            .execute(&mut *transaction)
            .await?;
        }
    }
    transaction.commit().await?;
    tracing::info!("brought development data into the database");
    Ok(())
}
