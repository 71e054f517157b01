use ops_contract::{ReplicaId, ServiceName};
use sqlx::AnyConnection;

use super::Result;

/// Gives the slot its next generation: above all that the store and the agent (`known`) ever had.
pub(crate) async fn next_generation(db: &mut AnyConnection, replica: &ReplicaId, known: i64) -> Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO slots (service, slot, generation, reset_generation) VALUES ($1, $2, $3 + 1, 0)
         ON CONFLICT (service, slot) DO UPDATE SET generation =
             CASE WHEN slots.generation > $3 THEN slots.generation ELSE $3 END + 1
         RETURNING generation",
    )
    .bind(replica.service.as_str())
    .bind(i64::from(replica.slot))
    .bind(known)
    .fetch_one(db)
    .await
}

/// Failures of the slot so far no longer count.
pub(crate) async fn reset(db: &mut AnyConnection, service: &ServiceName, slot: u16) -> Result<()> {
    sqlx::query("UPDATE slots SET reset_generation = generation WHERE service = $1 AND slot = $2")
        .bind(service.as_str())
        .bind(i64::from(slot))
        .execute(db)
        .await?;
    Ok(())
}

/// No failure so far counts any more.
pub(crate) async fn reset_all(db: &mut AnyConnection) -> Result<()> {
    sqlx::query("UPDATE slots SET reset_generation = generation").execute(db).await?;
    Ok(())
}
