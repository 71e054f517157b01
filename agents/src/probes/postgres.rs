use ops_contract::PostgresSpec;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{Connection as _, Row};

use super::dependency::{Fault, Seen, Store, Target as DependencyTarget};

/// What a look at a read replica asks: is it one, does it stream, how far behind is it.
const REPLICA: &str = "select pg_is_in_recovery(), \
    (select status from pg_stat_wal_receiver limit 1), \
    pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::float8";

/// What it says when it does not let a user in: wrong password, wrong user.
const REFUSALS: [&str; 2] = ["28P01", "28000"];

/// One server of a cluster.
#[derive(Clone)]
pub(super) struct Target {
    address: String,
    database: String,
    user: String,
    role: Role,
}

/// What the server should be.
#[derive(Clone, Copy)]
enum Role {
    Primary,
    Replica,
}

/// An open connection and what to expect of it.
pub(super) struct Connection {
    connection: PgConnection,
    role: Role,
}

/// The primary of a cluster.
pub(super) fn primary(name: &str, spec: &PostgresSpec) -> DependencyTarget {
    target(name, format!("postgres.{name}"), &spec.primary, Role::Primary, spec)
}

/// One of its read replicas.
pub(super) fn replica(name: &str, spec: &PostgresSpec, index: usize) -> DependencyTarget {
    target(name, format!("postgres.{name}.replica-{index}"), &spec.replicas[index], Role::Replica, spec)
}

fn target(cluster: &str, name: String, address: &str, role: Role, spec: &PostgresSpec) -> DependencyTarget {
    let store = Target {
        address: address.to_owned(),
        database: spec.database.clone(),
        user: spec.user.clone(),
        role,
    };
    DependencyTarget {
        name,
        belongs_to: format!("postgres.{cluster}"),
        password_secret: spec.password_secret.clone(),
        store: Store::Postgres(store),
    }
}

pub(super) async fn connect(target: &Target, password: Option<SecretString>) -> Result<Connection, Fault> {
    let (host, port) = target.address.rsplit_once(':').unwrap_or((&target.address, "5432"));
    let port = port.parse().map_err(|_| format!("{} is not an address", target.address))?;
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(host)
        .port(port)
        .database(&target.database)
        .username(&target.user)
        .application_name("insightdesk-agent")
        .ssl_mode(PgSslMode::Prefer)
        .statement_cache_capacity(4);
    if let Some(password) = password {
        options = options.password(password.expose_secret());
    }
    let connection = PgConnection::connect_with(&options).await.map_err(|error| fault(&error))?;
    Ok(Connection { connection, role: target.role })
}

/// One look.
pub(super) async fn ask(open: &mut Connection) -> Seen {
    match open.role {
        Role::Primary => ask_primary(&mut open.connection).await,
        Role::Replica => ask_replica(&mut open.connection).await,
    }
}

async fn ask_primary(connection: &mut PgConnection) -> Seen {
    let row = sqlx::query("select pg_is_in_recovery()").fetch_one(connection).await;
    let in_recovery: bool = row.and_then(|row| row.try_get(0)).map_err(|error| fault(&error))?;
    match in_recovery {
        false => Ok("accepts writes".to_owned()),
        true => Err(Fault::Other("is in recovery: it takes no writes".to_owned())),
    }
}

async fn ask_replica(connection: &mut PgConnection) -> Seen {
    let row = sqlx::query(REPLICA).fetch_one(connection).await.map_err(|error| fault(&error))?;
    let read = |error: sqlx::Error| fault(&error);
    let in_recovery: bool = row.try_get(0).map_err(read)?;
    let receiver: Option<String> = row.try_get(1).map_err(read)?;
    let behind: Option<f64> = row.try_get(2).map_err(read)?;
    Ok(match (in_recovery, receiver.as_deref()) {
        (false, _) => "is no longer a replica: it was promoted".to_owned(),
        (true, None) => "not connected to its primary: what it serves grows old".to_owned(),
        (true, Some("streaming")) if behind.unwrap_or(0.0) < 1e6 => "streaming".to_owned(),
        (true, Some("streaming")) => format!("streaming, {:.0} MB to replay", behind.unwrap_or(0.0) / 1e6),
        (true, Some(other)) => format!("connected, but {other}"),
    })
}

/// Why there was no good answer. Server messages hold names, never passwords.
fn fault(error: &sqlx::Error) -> Fault {
    Fault::Other(match error {
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            "connection refused".to_owned()
        }
        sqlx::Error::Io(error) => format!("connection failed: {error}"),
        sqlx::Error::Database(error) if error.code().is_some_and(|code| REFUSALS.contains(&&*code)) => {
            return Fault::Password(error.message().to_owned());
        }
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Tls(_) => "the encrypted connection failed".to_owned(),
        sqlx::Error::Protocol(_) => "does not speak PostgreSQL".to_owned(),
        other => other.to_string(),
    })
}
