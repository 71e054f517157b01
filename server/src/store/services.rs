use std::collections::BTreeMap;

use ops_contract::{ServiceName, Timestamp};
use sqlx::AnyConnection;

use super::{Result, small};

/// Wanted replicas where they were changed.
pub(crate) async fn desired(db: &mut AnyConnection) -> Result<BTreeMap<ServiceName, u16>> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT name, desired FROM services").fetch_all(db).await?;
    rows.into_iter().map(|(name, desired)| Ok((ServiceName(name), small(desired)?))).collect()
}

pub(crate) async fn set_desired(
    db: &mut AnyConnection,
    name: &ServiceName,
    desired: u16,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO services (name, desired, changed_by, changed_at_us) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET desired = excluded.desired, changed_by = excluded.changed_by,
             changed_at_us = excluded.changed_at_us",
    )
    .bind(name.as_str())
    .bind(i64::from(desired))
    .bind(by)
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(())
}
