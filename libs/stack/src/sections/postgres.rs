use ops_contract::{Environment, PostgresSpec};

use super::{check_address, is_local};
use crate::reader::{At, quoted};
use crate::section::Section;

/// The port of a development primary that names none; its replicas take the ports after it.
const PORT: u16 = 15432;
/// The most replicas of a development cluster.
const MOST_REPLICAS: u16 = 5;

/// One PostgreSQL cluster.
pub(crate) struct PostgresDraft {
    pub(crate) spec: PostgresSpec,
    pub(crate) password_secret: Option<At<String>>,
    /// The ports that the stack takes for it on this machine, the primary's first.
    pub(crate) ports: Vec<At<u16>>,
}

pub(super) fn read(
    section: &Section<'_, '_>,
    stack: &str,
    environment: Environment,
) -> Option<PostgresDraft> {
    let development = section.boolean("development");
    if let Some(at) = development.as_ref().filter(|at| at.value && !is_local(environment)) {
        let fix = "name the real one: primary = \"host:5432\"";
        section.reader.wrong(at, "development stores are for development and test only", fix);
    }
    let default = stack.replace('-', "_");
    let spec = PostgresSpec {
        primary: String::new(),
        replicas: Vec::new(),
        database: identifier(section, "database", &default),
        user: identifier(section, "user", &default),
        password_secret: None,
        development: development.is_some_and(|at| at.value),
    };
    if spec.development { own(section, spec) } else { watched(section, spec) }
}

/// A cluster that the stack runs itself.
fn own(section: &Section<'_, '_>, mut spec: PostgresSpec) -> Option<PostgresDraft> {
    if let Some(at) = section.value("primary") {
        section.reader.wrong(&at, "a development cluster stands on this machine", "remove primary; set port");
    }
    if let Some(at) = section.value("password_secret") {
        section.reader.wrong(&at, "a development cluster has no password", "remove password_secret");
    }
    let count = match section.value("replicas") {
        Some(at) if at.value.get_ref().is_array() => {
            section.reader.wrong(
                &at,
                "a development cluster makes its own replicas",
                "write how many: replicas = 1",
            );
            0
        }
        Some(_) => section.integer("replicas", 0..=MOST_REPLICAS)?.value,
        None => 0,
    };
    let default = At { value: PORT, key: section.key("port"), span: section.span.clone() };
    let port = match section.value("port") {
        Some(_) => section.integer("port", 1..=u16::MAX - MOST_REPLICAS)?,
        None => default,
    };
    let ports: Vec<At<u16>> = (0..=count).map(|index| port.with(port.value + index)).collect();
    let mut addresses = ports.iter().map(|port| format!("127.0.0.1:{}", port.value));
    spec.primary = addresses.next().unwrap_or_default();
    spec.replicas = addresses.collect();
    Some(PostgresDraft { spec, password_secret: None, ports })
}

/// A cluster that somebody else runs.
fn watched(section: &Section<'_, '_>, mut spec: PostgresSpec) -> Option<PostgresDraft> {
    if let Some(at) = section.value("port") {
        section.reader.wrong(&at, "port is for a development cluster", "write it into primary");
    }
    if section.value("primary").is_none() {
        section.missing("primary", "add primary = \"host:5432\", or development = true");
    }
    for at in section.strings("replicas").map(|at| at.value).unwrap_or_default() {
        check_address(section, &at);
        spec.replicas.push(at.value);
    }
    let password_secret = section.string("password_secret");
    spec.password_secret = password_secret.as_ref().map(|at| at.value.clone());
    let primary = section.string("primary")?;
    check_address(section, &primary);
    spec.primary = primary.value;
    Some(PostgresDraft { spec, password_secret, ports: Vec::new() })
}

fn identifier(section: &Section<'_, '_>, key: &str, default: &str) -> String {
    let Some(at) = section.string(key) else { return default.to_owned() };
    let good = !at.value.is_empty()
        && at.value.len() <= 63
        && !at.value.starts_with('-')
        && at.value.chars().all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '-');
    if !good {
        let problem = format!("{} is not taken as a name", quoted(&at.value));
        section.reader.wrong(&at, problem, "use letters, digits, _ and -, at most 63");
    }
    at.value
}
