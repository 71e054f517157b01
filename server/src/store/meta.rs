use sqlx::AnyConnection;

use super::Result;

/// Whether the stack should run: `running` or `stopped`.
pub(crate) const INTENT: &str = "intent";
/// Hash of the stack that was last served.
pub(crate) const STACK_HASH: &str = "stack_hash";

pub(crate) async fn get(db: &mut AnyConnection, name: &str) -> Result<Option<String>> {
    sqlx::query_scalar("SELECT value FROM meta WHERE name = $1").bind(name).fetch_optional(db).await
}

pub(crate) async fn set(db: &mut AnyConnection, name: &str, value: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(db)
    .await?;
    Ok(())
}
