use ops_contract::{ReplicaId, ServiceName, Timestamp};
use ops_engine::Rolling;
use sqlx::AnyConnection;

use super::{Result, small};

/// A slot that an operator wants restarted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) service: ServiceName,
    pub(crate) slot: u16,
    pub(crate) patient: bool,
    pub(crate) requested_by: String,
    pub(crate) reason: String,
}

pub(crate) async fn insert(db: &mut AnyConnection, wish: &Wish, now: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO rolling (service, slot, patient, requested_by, reason, requested_at_us)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (service, slot) DO UPDATE SET patient = excluded.patient,
             requested_by = excluded.requested_by, reason = excluded.reason",
    )
    .bind(wish.service.as_str())
    .bind(i64::from(wish.slot))
    .bind(i64::from(wish.patient))
    .bind(&wish.requested_by)
    .bind(&wish.reason)
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn list(db: &mut AnyConnection) -> Result<Vec<Wish>> {
    let rows: Vec<(String, i64, i64, String, String)> = sqlx::query_as(
        "SELECT service, slot, patient, requested_by, reason FROM rolling ORDER BY service, slot",
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(service, slot, patient, requested_by, reason)| {
            let (service, slot) = (ServiceName(service), small(slot)?);
            Ok(Wish { service, slot, patient: patient != 0, requested_by, reason })
        })
        .collect()
}

/// The wishes as the engine reads them: one entry per service, kind and person.
pub(crate) fn grouped(wishes: &[Wish]) -> Vec<Rolling> {
    let mut grouped: Vec<Rolling> = Vec::new();
    for wish in wishes {
        let same = grouped.iter_mut().find(|it| {
            it.service == wish.service && it.patient == wish.patient && it.requested_by == wish.requested_by
        });
        match same {
            Some(rolling) => rolling.slots.push(wish.slot),
            None => grouped.push(Rolling {
                service: wish.service.clone(),
                slots: vec![wish.slot],
                patient: wish.patient,
                requested_by: wish.requested_by.clone(),
            }),
        }
    }
    grouped
}

/// The wish is being fulfilled.
pub(crate) async fn remove(db: &mut AnyConnection, replica: &ReplicaId) -> Result<()> {
    sqlx::query("DELETE FROM rolling WHERE service = $1 AND slot = $2")
        .bind(replica.service.as_str())
        .bind(i64::from(replica.slot))
        .execute(db)
        .await?;
    Ok(())
}

/// Slots from `slot` on are no longer wanted.
pub(crate) async fn remove_from(db: &mut AnyConnection, service: &ServiceName, slot: u16) -> Result<()> {
    sqlx::query("DELETE FROM rolling WHERE service = $1 AND slot >= $2")
        .bind(service.as_str())
        .bind(i64::from(slot))
        .execute(db)
        .await?;
    Ok(())
}

pub(crate) async fn clear(db: &mut AnyConnection) -> Result<()> {
    sqlx::query("DELETE FROM rolling").execute(db).await?;
    Ok(())
}
