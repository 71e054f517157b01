use std::time::Duration;

use ops_contract::ValkeySpec;
use redis::aio::MultiplexedConnection;
use redis::{ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisConnectionInfo, RedisError};
use secrecy::{ExposeSecret, SecretString};

use super::dependency::{Fault, Seen, Store, Target as DependencyTarget};

/// Longest wait for one answer; the look as a whole has its own deadline.
const TIMEOUT: Duration = Duration::from_secs(5);

/// One instance.
#[derive(Clone)]
pub(super) struct Target {
    address: String,
}

pub(super) type Connection = MultiplexedConnection;

pub(super) fn target(name: &str, spec: &ValkeySpec) -> DependencyTarget {
    DependencyTarget {
        name: format!("valkey.{name}"),
        belongs_to: format!("valkey.{name}"),
        password_secret: spec.password_secret.clone(),
        store: Store::Valkey(Target { address: spec.address.clone() }),
    }
}

pub(super) async fn connect(target: &Target, password: Option<SecretString>) -> Result<Connection, Fault> {
    open(&target.address, 0, password).await
}

/// A connection to one database of the server at `address`.
pub(super) async fn open(
    address: &str,
    database: u16,
    password: Option<SecretString>,
) -> Result<Connection, Fault> {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "6379"));
    let port = port.parse().map_err(|_| format!("{address} is not an address"))?;
    let mut settings = RedisConnectionInfo::default().set_db(i64::from(database));
    if let Some(password) = password {
        settings = settings.set_password(password.expose_secret());
    }
    let info =
        ConnectionAddr::Tcp(host.to_owned(), port).into_connection_info().map_err(|error| fault(&error))?;
    let client = redis::Client::open(info.set_redis_settings(settings)).map_err(|error| fault(&error))?;
    let config = redis::AsyncConnectionConfig::new()
        .set_response_timeout(Some(TIMEOUT))
        .set_connection_timeout(Some(TIMEOUT));
    client.get_multiplexed_async_connection_with_config(&config).await.map_err(|error| fault(&error))
}

/// One look, in one round trip.
pub(super) async fn ask(connection: &mut Connection) -> Seen {
    let looked: Result<(String, String, String), RedisError> = redis::pipe()
        .cmd("PING")
        .cmd("INFO")
        .arg("replication")
        .cmd("INFO")
        .arg("memory")
        .query_async(connection)
        .await;
    let (_, replication, memory) = looked.map_err(|error| fault(&error))?;
    let role = field(&replication, "role").unwrap_or("unknown role");
    let mut seen = format!("answers as {role}");
    match field(&memory, "maxmemory_policy") {
        Some("noeviction") | None => {}
        Some(policy) => seen.push_str(&format!("; maxmemory-policy is {policy}: jobs may be evicted")),
    }
    Ok(seen)
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))
}

/// Why there was no good answer, without anything of what was sent.
pub(super) fn fault(error: &RedisError) -> Fault {
    if error.is_connection_refusal() {
        return Fault::Other("connection refused".to_owned());
    }
    if error.kind() == ErrorKind::AuthenticationFailed || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
    {
        return Fault::Password("authentication failed".to_owned());
    }
    Fault::Other(match error.code() {
        Some("LOADING") => "is loading its data".to_owned(),
        Some(code) => format!("answers {code}"),
        None => format!("connection failed: {}", error.category()),
    })
}
