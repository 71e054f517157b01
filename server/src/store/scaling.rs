use std::collections::BTreeMap;
use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use ops_contract::{ManualScale, ScalingDecision, ServiceName, Timestamp};
use ops_engine::scale::Recording;
use sqlx::AnyConnection;
use uuid::Uuid;

use super::{Result, from_json, small, to_json};

/// The largest recording that is unpacked: a minute of a service with hundreds of queues is a tenth of it.
const LARGEST: u64 = 64 << 20;

pub(crate) async fn insert_decision(db: &mut AnyConnection, decision: &ScalingDecision) -> Result<()> {
    sqlx::query("INSERT INTO scaling_decisions (id, service, at_us, decision) VALUES ($1, $2, $3, $4)")
        .bind(&decision.id)
        .bind(decision.service.as_str())
        .bind(decision.at.0)
        .bind(to_json(decision)?)
        .execute(db)
        .await?;
    Ok(())
}

/// Newest first, older than the id `before`.
pub(crate) async fn decisions(
    db: &mut AnyConnection,
    service: &ServiceName,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<ScalingDecision>> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT decision FROM scaling_decisions WHERE service = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
    )
    .bind(service.as_str())
    .bind(before.unwrap_or("~"))
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    rows.iter().map(|(decision,)| from_json(decision)).collect()
}

/// Numbers that operators set, those that are over included.
pub(crate) async fn manual(db: &mut AnyConnection) -> Result<BTreeMap<ServiceName, ManualScale>> {
    let rows: Vec<(String, i64, Option<i64>, String, String)> =
        sqlx::query_as("SELECT service, replicas, until_us, set_by, reason FROM scaling_manual")
            .fetch_all(db)
            .await?;
    rows.into_iter()
        .map(|(service, replicas, until, by, reason)| {
            let manual = ManualScale { replicas: small(replicas)?, until: until.map(Timestamp), by, reason };
            Ok((ServiceName(service), manual))
        })
        .collect()
}

pub(crate) async fn set_manual(
    db: &mut AnyConnection,
    service: &ServiceName,
    manual: &ManualScale,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO scaling_manual (service, replicas, until_us, set_by, reason) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (service) DO UPDATE SET replicas = excluded.replicas, until_us = excluded.until_us,
             set_by = excluded.set_by, reason = excluded.reason",
    )
    .bind(service.as_str())
    .bind(i64::from(manual.replicas))
    .bind(manual.until.map(|it| it.0))
    .bind(&manual.by)
    .bind(&manual.reason)
    .execute(db)
    .await?;
    Ok(())
}

/// Withdraws an operator's number; false when there was none.
pub(crate) async fn remove_manual(db: &mut AnyConnection, service: &ServiceName) -> Result<bool> {
    let done = sqlx::query("DELETE FROM scaling_manual WHERE service = $1")
        .bind(service.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() > 0)
}

pub(crate) async fn insert_recording(
    db: &mut AnyConnection,
    service: &ServiceName,
    recording: &Recording,
    now: Timestamp,
) -> Result<()> {
    sqlx::query("INSERT INTO scaling_recordings (id, service, at_us, recording) VALUES ($1, $2, $3, $4)")
        .bind(Uuid::now_v7().to_string())
        .bind(service.as_str())
        .bind(now.0)
        .bind(pack(&to_json(recording)?).map_err(|error| sqlx::Error::Encode(Box::new(error)))?)
        .execute(db)
        .await?;
    Ok(())
}

/// Recordings of a service, oldest first, after the id `after`; each with its id, as JSON.
pub(crate) async fn recordings(
    db: &mut AnyConnection,
    service: &ServiceName,
    after: &str,
    limit: u32,
) -> Result<Vec<(String, String)>> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, recording FROM scaling_recordings WHERE service = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(service.as_str())
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(id, packed)| {
            let recording = unpack(&packed).map_err(|error| sqlx::Error::Decode(error.into()))?;
            Ok((id, recording))
        })
        .collect()
}

/// The newest recording of a service, from which its memory is taken up again.
pub(crate) async fn last_recording(
    db: &mut AnyConnection,
    service: &ServiceName,
) -> Result<Option<Recording>> {
    let row: Option<(String,)> = sqlx::query_as(
        "SELECT recording FROM scaling_recordings WHERE service = $1 ORDER BY id DESC LIMIT 1",
    )
    .bind(service.as_str())
    .fetch_optional(db)
    .await?;
    let Some((packed,)) = row else { return Ok(None) };
    let recording = unpack(&packed).map_err(|error| sqlx::Error::Decode(error.into()))?;
    from_json(&recording).map(Some)
}

/// Forgets decisions before `decisions_before` and recordings before `recordings_before`.
pub(crate) async fn prune(
    db: &mut AnyConnection,
    decisions_before: Timestamp,
    recordings_before: Timestamp,
) -> Result<u64> {
    let decisions = sqlx::query("DELETE FROM scaling_decisions WHERE at_us < $1").bind(decisions_before.0);
    let mut rows = decisions.execute(&mut *db).await?.rows_affected();
    let recordings = sqlx::query("DELETE FROM scaling_recordings WHERE at_us < $1").bind(recordings_before.0);
    rows += recordings.execute(db).await?.rows_affected();
    Ok(rows)
}

fn pack(text: &str) -> std::io::Result<String> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes())?;
    Ok(STANDARD.encode(gzip.finish()?))
}

fn unpack(packed: &str) -> anyhow::Result<String> {
    let bytes = STANDARD.decode(packed)?;
    let mut text = String::new();
    GzDecoder::new(bytes.as_slice()).take(LARGEST).read_to_string(&mut text)?;
    Ok(text)
}
