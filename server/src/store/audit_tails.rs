use sqlx::AnyConnection;

use super::Result;

/// How far the file of an audit device was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Device and inode.
    pub(crate) file: String,
    /// Bytes that were read.
    pub(crate) position: u64,
    /// Hash of its first bytes.
    pub(crate) head: String,
    /// Of how many.
    pub(crate) head_bytes: u64,
}

/// The mark of a source on this host, and what was wrong with it.
pub(crate) async fn get(db: &mut AnyConnection, source: &str, host: &str) -> Result<Option<(Mark, String)>> {
    let row: Option<(String, i64, String, i64, String)> = sqlx::query_as(
        "SELECT file, position, head, head_bytes, fault FROM audit_tails WHERE source = $1 AND host = $2",
    )
    .bind(source)
    .bind(host)
    .fetch_optional(db)
    .await?;
    row.map(|(file, position, head, head_bytes, fault)| {
        Ok((Mark { file, position: positive(position)?, head, head_bytes: positive(head_bytes)? }, fault))
    })
    .transpose()
}

pub(crate) async fn put(
    db: &mut AnyConnection,
    source: &str,
    host: &str,
    mark: &Mark,
    fault: &str,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO audit_tails (source, host, file, position, head, head_bytes, fault)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (source, host) DO UPDATE SET file = excluded.file, position = excluded.position,
             head = excluded.head, head_bytes = excluded.head_bytes, fault = excluded.fault",
    )
    .bind(source)
    .bind(host)
    .bind(&mark.file)
    .bind(number(mark.position)?)
    .bind(&mark.head)
    .bind(number(mark.head_bytes)?)
    .bind(fault)
    .execute(db)
    .await?;
    Ok(())
}

fn number(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn positive(number: i64) -> Result<u64> {
    u64::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()))
}
