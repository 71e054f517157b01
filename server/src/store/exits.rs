use std::collections::BTreeMap;

use ops_contract::{Exit, ReplicaId, Timestamp};
use ops_engine::PastExit;
use sqlx::AnyConnection;

use super::{Result, from_json, from_word, replica, to_json, word};

/// Keeps an exit; false when it was known.
pub(crate) async fn insert(db: &mut AnyConnection, exit: &Exit) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO exits (service, slot, generation, at_us, reason, code, meaning, evidence)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (service, slot, generation) DO NOTHING",
    )
    .bind(exit.replica.service.as_str())
    .bind(i64::from(exit.replica.slot))
    .bind(exit.generation)
    .bind(exit.at.0)
    .bind(word(&exit.reason)?)
    .bind(exit.code.map(i64::from))
    .bind(&exit.meaning)
    .bind(to_json(exit)?)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What plans need: exits since each slot's last reset, oldest first, the last 20 generations of each.
pub(crate) async fn since_reset(db: &mut AnyConnection) -> Result<BTreeMap<ReplicaId, Vec<PastExit>>> {
    type Row = (String, i64, i64, i64, String, Option<i64>, String);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT e.service, e.slot, e.generation, e.at_us, e.reason, e.code, e.meaning
         FROM exits e JOIN slots s ON s.service = e.service AND s.slot = e.slot
         WHERE e.generation > s.reset_generation AND e.generation > s.generation - 20
         ORDER BY e.service, e.slot, e.generation",
    )
    .fetch_all(db)
    .await?;
    let mut exits: BTreeMap<ReplicaId, Vec<PastExit>> = BTreeMap::new();
    for (service, slot, generation, at, reason, code, meaning) in rows {
        let code = code.and_then(|code| i32::try_from(code).ok());
        let exit = PastExit { generation, at: Timestamp(at), reason: from_word(reason)?, code, meaning };
        exits.entry(replica(service, slot)?).or_default().push(exit);
    }
    Ok(exits)
}

/// The exits of a replica with their evidence, newest first, older than generation `before`.
pub(crate) async fn list(
    db: &mut AnyConnection,
    replica: &ReplicaId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Exit>> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT evidence FROM exits WHERE service = $1 AND slot = $2 AND generation < $3
         ORDER BY generation DESC LIMIT $4",
    )
    .bind(replica.service.as_str())
    .bind(i64::from(replica.slot))
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    rows.iter().map(|text| from_json(text)).collect()
}

pub(crate) async fn prune(db: &mut AnyConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM exits WHERE at_us < $1").bind(before.0).execute(db).await?;
    Ok(done.rows_affected())
}
