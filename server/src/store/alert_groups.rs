use ops_alerts::dispatch::{GroupRow, MemberRow, Told};
use ops_contract::Timestamp;
use sqlx::AnyConnection;

use super::{Result, from_json, from_word, to_json, word};

/// All groups.
pub(crate) async fn all(db: &mut AnyConnection) -> Result<Vec<GroupRow>> {
    let rows: Vec<(String, String, String, String, i64, Option<i64>)> = sqlx::query_as(
        "SELECT id, receiver, group_key, labels, created_at_us, told_at_us FROM alert_groups ORDER BY id",
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(id, receiver, key, labels, created_at, told_at)| {
            Ok(GroupRow {
                id,
                receiver,
                key,
                labels: from_json(&labels)?,
                created_at: Timestamp(created_at),
                told_at: told_at.map(Timestamp),
            })
        })
        .collect()
}

/// The members of all groups.
pub(crate) async fn members(db: &mut AnyConnection) -> Result<Vec<MemberRow>> {
    let rows: Vec<(String, String, String, String, Option<i64>)> =
        sqlx::query_as("SELECT group_id, alert, told, told_as, hold_until_us FROM alert_group_members")
            .fetch_all(db)
            .await?;
    rows.into_iter()
        .map(|(group, alert, told, told_as, hold_until)| {
            let told: Told = from_word(told)?;
            Ok(MemberRow { group, alert, told, told_as, hold_until: hold_until.map(Timestamp) })
        })
        .collect()
}

pub(crate) async fn upsert(db: &mut AnyConnection, row: &GroupRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO alert_groups (id, receiver, group_key, labels, created_at_us, told_at_us)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET told_at_us = excluded.told_at_us",
    )
    .bind(&row.id)
    .bind(&row.receiver)
    .bind(&row.key)
    .bind(to_json(&row.labels)?)
    .bind(row.created_at.0)
    .bind(row.told_at.map(|it| it.0))
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn upsert_member(db: &mut AnyConnection, row: &MemberRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO alert_group_members (group_id, alert, told, told_as, hold_until_us)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (group_id, alert) DO UPDATE SET told = excluded.told, told_as = excluded.told_as,
             hold_until_us = excluded.hold_until_us",
    )
    .bind(&row.group)
    .bind(&row.alert)
    .bind(word(&row.told)?)
    .bind(&row.told_as)
    .bind(row.hold_until.map(|it| it.0))
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn delete(db: &mut AnyConnection, group: &str) -> Result<()> {
    sqlx::query("DELETE FROM alert_groups WHERE id = $1").bind(group).execute(&mut *db).await?;
    sqlx::query("DELETE FROM alert_group_members WHERE group_id = $1").bind(group).execute(db).await?;
    Ok(())
}

pub(crate) async fn delete_member(db: &mut AnyConnection, group: &str, alert: &str) -> Result<()> {
    sqlx::query("DELETE FROM alert_group_members WHERE group_id = $1 AND alert = $2")
        .bind(group)
        .bind(alert)
        .execute(db)
        .await?;
    Ok(())
}
