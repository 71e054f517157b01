use std::collections::BTreeMap;

use sqlx::AnyConnection;

use super::Result;

/// Rule files as they last were without a fault, by path.
pub(crate) async fn all(db: &mut AnyConnection) -> Result<BTreeMap<String, String>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT path, content FROM rule_files").fetch_all(db).await?;
    Ok(rows.into_iter().collect())
}

/// Puts `files` in the place of what was kept.
pub(crate) async fn replace(db: &mut AnyConnection, files: &BTreeMap<String, String>) -> Result<()> {
    sqlx::query("DELETE FROM rule_files").execute(&mut *db).await?;
    for (path, content) in files {
        sqlx::query("INSERT INTO rule_files (path, content) VALUES ($1, $2)")
            .bind(path)
            .bind(content)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}
