use std::collections::BTreeMap;

use ops_contract::Timestamp;
use ops_engine::secrets::SecretRead;
use sqlx::AnyConnection;

use super::Result;

/// Who left, and when; of very many the last ones.
pub(crate) async fn all(db: &mut AnyConnection) -> Result<BTreeMap<String, Timestamp>> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT person, at_us FROM departures ORDER BY at_us DESC LIMIT 2000")
            .fetch_all(db)
            .await?;
    Ok(rows.into_iter().map(|(person, at)| (person, Timestamp(at))).collect())
}

/// Somebody left; told again, the earlier time counts.
pub(crate) async fn put(db: &mut AnyConnection, person: &str, at: Timestamp, entry: u64) -> Result<()> {
    sqlx::query(
        "INSERT INTO departures (person, at_us, entry) VALUES ($1, $2, $3)
         ON CONFLICT (person) DO UPDATE SET at_us = excluded.at_us, entry = excluded.entry
             WHERE departures.at_us > excluded.at_us",
    )
    .bind(person)
    .bind(at.0)
    .bind(i64::try_from(entry).unwrap_or(i64::MAX))
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that somebody with this name read a secret; an older read is passed over.
pub(crate) async fn note_read(
    db: &mut AnyConnection,
    name: &str,
    secret: &str,
    read: SecretRead,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO secret_reads (name, secret, at_us, seq) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name, secret) DO UPDATE SET at_us = excluded.at_us, seq = excluded.seq
             WHERE secret_reads.seq < excluded.seq",
    )
    .bind(name)
    .bind(secret)
    .bind(read.at.0)
    .bind(i64::try_from(read.seq).unwrap_or(i64::MAX))
    .execute(db)
    .await?;
    Ok(())
}

/// What everybody who left read: the person, the secret, and when they read it last.
pub(crate) async fn reads_of_departed(db: &mut AnyConnection) -> Result<Vec<(String, String, SecretRead)>> {
    let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
        "SELECT r.name, r.secret, r.at_us, r.seq FROM secret_reads r JOIN departures d ON d.person = r.name
         ORDER BY r.name, r.secret",
    )
    .fetch_all(db)
    .await?;
    let read = |(name, secret, at, seq): (String, String, i64, i64)| {
        (name, secret, SecretRead { at: Timestamp(at), seq: u64::try_from(seq).unwrap_or_default() })
    };
    Ok(rows.into_iter().map(read).collect())
}
