use ops_contract::{Alert, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

use super::{Result, from_json, to_json};

/// What waits for the server that decides.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum Input {
    /// Somebody else's alert: it fires until `ends_at`, or ended then when that is past.
    Alert {
        /// As it was sent; its id is given when it is taken up.
        alert: Box<Alert>,
        /// When it ends unless it is sent again.
        ends_at: Timestamp,
    },
    /// A silence is new or changed.
    Silence {
        /// Which one.
        id: String,
    },
    /// Who looks after an incident has changed.
    Incident {
        /// Which one.
        id: String,
    },
}

/// Most inputs that are taken at once.
const MOST: i64 = 2_000;

/// Puts something in; it takes effect when the server that decides comes by.
pub(crate) async fn put(db: &mut AnyConnection, input: &Input) -> Result<()> {
    sqlx::query("INSERT INTO alert_inbox (id, kind, body) VALUES ($1, $2, $3)")
        // Version 7 sorts by time.
        .bind(uuid::Uuid::now_v7().to_string())
        .bind(match input {
            Input::Alert { .. } => "alert",
            Input::Silence { .. } => "silence",
            Input::Incident { .. } => "incident",
        })
        .bind(to_json(input)?)
        .execute(db)
        .await?;
    Ok(())
}

/// The oldest inputs, with their ids.
pub(crate) async fn first(db: &mut AnyConnection) -> Result<Vec<(String, Input)>> {
    let rows: Vec<(String, String)> = sqlx::query_as("SELECT id, body FROM alert_inbox ORDER BY id LIMIT $1")
        .bind(MOST)
        .fetch_all(db)
        .await?;
    rows.into_iter().map(|(id, body)| Ok((id, from_json(&body)?))).collect()
}

/// How many wait.
pub(crate) async fn count(db: &mut AnyConnection) -> Result<i64> {
    sqlx::query_scalar("SELECT COUNT(*) FROM alert_inbox").fetch_one(db).await
}

/// Forgets an input that has taken effect.
pub(crate) async fn delete(db: &mut AnyConnection, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM alert_inbox WHERE id = $1").bind(id).execute(db).await?;
    Ok(())
}
