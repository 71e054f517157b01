use std::collections::BTreeMap;

use ops_contract::{Environment, SecretSource, SecretSpec};

use super::is_local;
use crate::reader::{At, quoted};
use crate::section::{Section, is_variable};

#[derive(Clone, Copy)]
enum From {
    Env,
    Generated,
}

/// Where each secret's value is.
pub(super) fn read(root: &Section<'_, '_>, environment: Environment) -> BTreeMap<String, At<SecretSpec>> {
    let sections = root.named("secrets", "secrets.NAME");
    sections
        .into_iter()
        .map(|(name, section)| {
            let at = At { value: (), key: section.path.clone(), span: section.span.clone() };
            if !is_variable(&name) {
                let fix = "use letters, digits and _, and no digit first: programs get it as a variable";
                section.reader.wrong(&at, format!("{} cannot name a secret", quoted(&name)), fix);
            }
            let source = source(&name, &section, environment);
            (name, at.with(SecretSpec::new(source)))
        })
        .collect()
}

fn source(name: &str, section: &Section<'_, '_>, environment: Environment) -> SecretSource {
    if section.value("from").is_none() {
        section.missing("from", "add from = \"env\" or, in development and test, from = \"generated\"");
    }
    let from = section.choice("from", &[("env", From::Env), ("generated", From::Generated)]);
    let variable = section.string("variable");
    match from.as_ref().map(|at| at.value) {
        Some(From::Generated) => {
            if let Some(at) = from.filter(|_| !is_local(environment)) {
                let fix = "write from = \"env\" and set the variable where the agent runs";
                section.reader.wrong(&at, "generated secrets are for development and test only", fix);
            }
            if let Some(at) = variable {
                section.reader.wrong(&at, "a generated secret is read from nowhere", "remove variable");
            }
            SecretSource::Generated
        }
        Some(From::Env) | None => {
            if let Some(at) = variable.as_ref().filter(|at| !is_variable(&at.value)) {
                let problem = format!("{} cannot name a variable", quoted(&at.value));
                section.reader.wrong(at, problem, "use letters, digits and _, and no digit first");
            }
            SecretSource::Env { variable: variable.map_or_else(|| name.to_owned(), |at| at.value) }
        }
    }
}
