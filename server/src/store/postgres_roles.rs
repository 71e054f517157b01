//! Users of the stack's own PostgreSQL, not of the control plane's store. A password is never in what is sent: PostgreSQL
//! takes the verifier that it would make of it, so that no log of statements ever has a password.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{Connection, Executor};

/// Longest wait for PostgreSQL, for each step.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rounds of the verifier: PostgreSQL's own default.
const ROUNDS: u32 = 4_096;

/// Where a user logs in.
pub(crate) struct Login<'a> {
    /// `host:port`.
    pub(crate) address: &'a str,
    pub(crate) database: &'a str,
    pub(crate) user: &'a str,
    pub(crate) password: Option<&'a SecretString>,
}

/// Logs in and leaves.
pub(crate) async fn log_in(login: &Login<'_>) -> Result<(), String> {
    let connection = connect(login).await?;
    let _ = tokio::time::timeout(PATIENCE, connection.close()).await;
    Ok(())
}

/// Gives `user` a new password, by somebody who may.
pub(crate) async fn set_password(
    admin: &Login<'_>,
    user: &str,
    password: &SecretString,
) -> Result<(), String> {
    let mut connection = connect(admin).await?;
    let sql = statement(user, &verifier(password, &rand::random()));
    let done = tokio::time::timeout(PATIENCE, connection.execute(sqlx::AssertSqlSafe(sql))).await;
    let _ = tokio::time::timeout(PATIENCE, connection.close()).await;
    match done {
        Err(_) => Err(format!("PostgreSQL at {} does not answer", admin.address)),
        Ok(Err(error)) => {
            Err(format!("{} could not change the password of {user}: {}", admin.user, words(&error)))
        }
        Ok(Ok(_)) => Ok(()),
    }
}

async fn connect(login: &Login<'_>) -> Result<PgConnection, String> {
    let (host, port) = login.address.rsplit_once(':').unwrap_or((login.address, "5432"));
    let port = port.parse().map_err(|_| format!("{} is not an address", login.address))?;
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(host.trim_start_matches('[').trim_end_matches(']'))
        .port(port)
        .database(login.database)
        .username(login.user)
        .application_name("insightdesk-rotation")
        .ssl_mode(PgSslMode::Prefer);
    if let Some(password) = login.password {
        options = options.password(password.expose_secret());
    }
    match tokio::time::timeout(PATIENCE, PgConnection::connect_with(&options)).await {
        Err(_) => Err(format!("PostgreSQL at {} does not answer", login.address)),
        Ok(Err(error)) => {
            Err(format!("{} cannot log in at {}: {}", login.user, login.address, words(&error)))
        }
        Ok(Ok(connection)) => Ok(connection),
    }
}

/// What PostgreSQL says of it, without a statement in it.
fn words(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(error) => error.message().to_owned(),
        None => error.to_string(),
    }
}

fn statement(user: &str, verifier: &str) -> String {
    format!("ALTER ROLE \"{}\" PASSWORD '{verifier}'", user.replace('"', "\"\""))
}

/// What PostgreSQL keeps of a password (RFC 5803), for letters of ASCII: others it would normalise first.
fn verifier(password: &SecretString, salt: &[u8; 16]) -> String {
    let salted = salted(password.expose_secret().as_bytes(), salt);
    let stored = Sha256::digest(mac(&salted, &[b"Client Key"]));
    let server = mac(&salted, &[b"Server Key"]);
    let [salt, stored, server] =
        [salt.as_slice(), stored.as_slice(), server.as_slice()].map(|it| STANDARD.encode(it));
    format!("SCRAM-SHA-256${ROUNDS}:{salt}${stored}:{server}")
}

/// PBKDF2 with HMAC-SHA-256, one block: what SCRAM calls `Hi`.
fn salted(password: &[u8], salt: &[u8]) -> [u8; 32] {
    let mut block = mac(password, &[salt, &1_u32.to_be_bytes()]);
    let mut sum = block;
    for _ in 1..ROUNDS {
        block = mac(password, &[&block]);
        sum.iter_mut().zip(block).for_each(|(sum, byte)| *sum ^= byte);
    }
    sum
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifier_is_the_one_of_the_standard() {
        // RFC 7677: user `user`, password `pencil`.
        let salt: [u8; 16] = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let text = verifier(&"pencil".into(), &salt);
        assert!(text.starts_with("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"), "{text}");
        // The server's signature of the exchange in the RFC is made with the server key.
        let exchange = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                        s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let server = STANDARD.decode(text.rsplit(':').next().unwrap()).unwrap();
        let signed = STANDARD.encode(mac(&server, &[exchange.as_bytes()]));
        assert_eq!(signed, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn a_user_s_name_cannot_leave_its_quotes() {
        assert_eq!(statement("a\"; DROP", "V"), "ALTER ROLE \"a\"\"; DROP\" PASSWORD 'V'");
    }
}
