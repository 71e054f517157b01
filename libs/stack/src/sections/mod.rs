//! One file per section of the stack file. To add one: a file whose `read` makes its draft from a [`Section`], its keys
//! in `keys.rs`, and a field of [`Draft`].

mod alerts;
mod audit;
mod balancer;
mod findings;
mod health;
mod labels;
mod postgres;
mod queues;
mod scale;
mod scrape;
mod secret;
mod secret_stores;
mod server;
mod service;
mod stack;
mod telemetry;
mod valkey;

use std::collections::BTreeMap;

use ops_contract::{Environment, ScrapeSpec, SecretStoresSpec};

pub(crate) use alerts::AlertsDraft;
pub(crate) use audit::AuditDraft;
pub(crate) use balancer::BalancerDraft;
pub(crate) use labels::check as check_label;
pub(crate) use postgres::PostgresDraft;
pub(crate) use secret::SecretDraft;
pub(crate) use server::Ports as ServerPorts;
pub(crate) use service::ServiceDraft;
pub(crate) use telemetry::TelemetryDraft;
pub(crate) use valkey::ValkeyDraft;

use crate::reader::{At, quoted};
use crate::section::Section;
use crate::{Context, ServerSection};

/// What was read, section by section, before the sections are compared with each other.
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) environment: Environment,
    pub(crate) server: ServerSection,
    pub(crate) ports: ServerPorts,
    pub(crate) env: BTreeMap<String, At<String>>,
    pub(crate) services: BTreeMap<String, ServiceDraft>,
    pub(crate) postgres: BTreeMap<String, PostgresDraft>,
    pub(crate) valkey: BTreeMap<String, ValkeyDraft>,
    pub(crate) balancer: Option<BalancerDraft>,
    pub(crate) secrets: BTreeMap<String, At<SecretDraft>>,
    pub(crate) secret_stores: SecretStoresSpec,
    pub(crate) audit: AuditDraft,
    pub(crate) alerts: AlertsDraft,
    pub(crate) telemetry: TelemetryDraft,
    pub(crate) scrape: Vec<ScrapeSpec>,
}

pub(crate) fn read(root: &Section<'_, '_>, context: &Context) -> Draft {
    let (name, environment) = stack::read(root);
    let (server, ports) = server::read(root, context);
    let named = |key: &str, kind: &str| {
        let sections = root.named(key, kind);
        sections.iter().for_each(|(name, section)| check_name(section, name));
        sections
    };
    let services = named("services", "services.NAME");
    let postgres = named("postgres", "postgres.NAME");
    let valkey = named("valkey", "valkey.NAME");
    Draft {
        env: root.variables("env"),
        services: services
            .into_iter()
            .map(|(name, section)| (name, service::read(&section, environment, context)))
            .collect(),
        postgres: postgres
            .into_iter()
            .filter_map(|(store, section)| Some((store, postgres::read(&section, &name, environment)?)))
            .collect(),
        valkey: valkey
            .into_iter()
            .filter_map(|(store, section)| Some((store, valkey::read(&section, environment)?)))
            .collect(),
        balancer: balancer::read(root, environment),
        secrets: secret::read(root, environment),
        secret_stores: secret_stores::read(root, context),
        audit: audit::read(root, context),
        alerts: alerts::read(root, context),
        telemetry: telemetry::read(root, context),
        scrape: scrape::read(root),
        name,
        environment,
        server,
        ports,
    }
}

/// Names become parts of paths, labels and addresses.
fn check_name(section: &Section<'_, '_>, name: &str) {
    if !is_name(name) {
        section.reader.fault(
            &section.span,
            &section.path,
            format!("{} cannot be a name", quoted(name)),
            "use lower case letters, digits and dashes, a letter first, at most 40",
        );
    }
}

pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= 40
        && name.starts_with(|it: char| it.is_ascii_lowercase())
        && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-')
}

/// Whether the stack may run its own data stores, balancer and secrets there.
fn is_local(environment: Environment) -> bool {
    matches!(environment, Environment::Development | Environment::Test)
}

/// Notes if this is not `host:port` of a data store.
fn check_address(section: &Section<'_, '_>, at: &At<String>) {
    let good = at.value.rsplit_once(':').is_some_and(|(host, port)| {
        let host = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
        !host.is_empty()
            && host.len() <= 253
            && host.chars().all(|it| it.is_ascii_alphanumeric() || ".-_:".contains(it))
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if !good {
        // It may hold a password, so only its kind is told.
        section.reader.wrong(at, "this is not an address", "write host:port, without user or password");
    }
}
