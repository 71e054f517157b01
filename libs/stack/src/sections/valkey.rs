use ops_contract::{Environment, ValkeySpec};

use super::{check_address, is_local, queues};
use crate::reader::At;
use crate::section::Section;

/// The port of a development Valkey that names none.
const PORT: u16 = 16379;

/// One Valkey or Redis.
pub(crate) struct ValkeyDraft {
    pub(crate) spec: ValkeySpec,
    pub(crate) password_secret: Option<At<String>>,
    /// The port that the stack takes for it on this machine.
    pub(crate) port: Option<At<u16>>,
}

pub(super) fn read(section: &Section<'_, '_>, environment: Environment) -> Option<ValkeyDraft> {
    let development = section.boolean("development");
    if let Some(at) = development.as_ref().filter(|at| at.value && !is_local(environment)) {
        let fix = "name the real one: address = \"host:6379\"";
        section.reader.wrong(at, "development stores are for development and test only", fix);
    }
    let password_secret = section.string("password_secret");
    let given = section.string("address");
    if development.is_some_and(|at| at.value) {
        if let Some(at) = given {
            section.reader.wrong(
                &at,
                "a development Valkey stands on this machine",
                "remove address; set port",
            );
        }
        if let Some(at) = password_secret {
            section.reader.wrong(&at, "a development Valkey has no password", "remove password_secret");
        }
        let default = At { value: PORT, key: section.key("port"), span: section.span.clone() };
        let port = match section.value("port") {
            Some(_) => section.integer("port", 1..=u16::MAX)?,
            None => default,
        };
        let spec = ValkeySpec {
            address: format!("127.0.0.1:{}", port.value),
            password_secret: None,
            development: true,
            queues: queues::read(section),
        };
        return Some(ValkeyDraft { spec, password_secret: None, port: Some(port) });
    }
    if let Some(at) = section.value("port") {
        section.reader.wrong(&at, "port is for a development Valkey", "write it into address");
    }
    if section.value("address").is_none() {
        section.missing("address", "add address = \"host:6379\", or development = true");
    }
    let given = given?;
    check_address(section, &given);
    let spec = ValkeySpec {
        address: given.value,
        password_secret: password_secret.as_ref().map(|at| at.value.clone()),
        development: false,
        queues: queues::read(section),
    };
    Some(ValkeyDraft { spec, password_secret, port: None })
}
