//! The people of the organisations.

use sqlx::PgPool;
use uuid::Uuid;

/// What sign-in needs of a user.
#[derive(Clone, sqlx::FromRow)]
pub(crate) struct User {
    pub(crate) id: Uuid,
    pub(crate) organisation_id: Uuid,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) password_hash: String,
}

const SELECT: &str = "SELECT id, organisation_id, name, role, password_hash FROM users";

/// The user of this address, which is compared without regard to case.
pub(crate) async fn by_email(pool: &PgPool, email: &str) -> sqlx::Result<Option<User>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} WHERE email = lower($1)")))
        .bind(email)
        .fetch_optional(pool)
        .await
}

/// The user of this id.
pub(crate) async fn by_id(pool: &PgPool, id: Uuid) -> sqlx::Result<Option<User>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"))).bind(id).fetch_optional(pool).await
}
