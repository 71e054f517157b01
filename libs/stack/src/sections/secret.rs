use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::{Environment, RotationMethod, SecretCategory, SecretSource, SecretSpec};

use super::is_local;
use crate::reader::{At, quoted};
use crate::section::{Section, is_variable};

/// The seed: keys of tokens every 90 days, passwords of data stores each quarter.
const APPLICATION: Duration = Duration::from_secs(90 * 86_400);
const QUARTER: Duration = Duration::from_secs(92 * 86_400);
/// Most secrets of a stack, and most names in a list of one.
const MOST: usize = 500;
const MOST_NAMES: usize = 100;

#[derive(Clone, Copy)]
enum From {
    Env,
    Generated,
    EncryptedFile,
    Vault,
    Aws,
}

/// A secret, with the places of what must be compared with other sections.
pub(crate) struct SecretDraft {
    pub(crate) spec: SecretSpec,
    /// Names of other secrets.
    pub(crate) secrets: Vec<At<String>>,
    /// Names of `[postgres.NAME]`.
    pub(crate) stores: Vec<At<String>>,
}

/// What secrets there are, where their values lie, who may have them and when they are renewed.
pub(super) fn read(root: &Section<'_, '_>, environment: Environment) -> BTreeMap<String, At<SecretDraft>> {
    let sections = root.named("secrets", "secrets.NAME");
    if let Some((_, section)) = sections.get(MOST) {
        let at = At { value: (), key: section.path.clone(), span: section.span.clone() };
        section.reader.wrong(&at, format!("there are more than {MOST} secrets"), "name fewer");
    }
    sections
        .into_iter()
        .map(|(name, section)| {
            let at = At { value: (), key: section.path.clone(), span: section.span.clone() };
            if !is_variable(&name) {
                let fix = "use letters, digits and _, and no digit first: programs get it as a variable";
                section.reader.wrong(&at, format!("{} cannot name a secret", quoted(&name)), fix);
            }
            let source = source(&name, &section, environment);
            (name, at.with(draft(&section, source)))
        })
        .collect()
}

fn draft(section: &Section<'_, '_>, source: SecretSource) -> SecretDraft {
    let mut draft = SecretDraft { spec: SecretSpec::new(source), secrets: Vec::new(), stores: Vec::new() };
    draft.spec.rotation = rotation(section, &mut draft);
    let spec = &mut draft.spec;
    let category = section.choice(
        "category",
        &[
            ("application", SecretCategory::Application),
            ("database", SecretCategory::Database),
            ("third_party", SecretCategory::ThirdParty),
            ("encryption_key", SecretCategory::EncryptionKey),
        ],
    );
    let usual = match spec.rotation {
        RotationMethod::Postgres { .. } => SecretCategory::Database,
        _ => SecretCategory::Application,
    };
    spec.category = category.map_or(usual, |at| at.value);
    spec.owner = section.string("owner").map(|at| at.value);
    if let Some(tier) = section.integer("tier", 0..=2) {
        spec.tier = u8::try_from(tier.value).unwrap_or(1);
    }
    spec.max_age = match spec.category {
        SecretCategory::Application => Some(APPLICATION),
        SecretCategory::Database => Some(QUARTER),
        SecretCategory::ThirdParty | SecretCategory::EncryptionKey => None,
    };
    if let Some(age) = section.long_duration("max_age", Duration::from_secs(3_600)) {
        spec.max_age = Some(age.value);
    }
    let departs = section.boolean("rotate_on_departure").map(|at| at.value);
    spec.on_departure = departs.unwrap_or(spec.category == SecretCategory::ThirdParty);
    if let Some(grace) = section.long_duration("grace", Duration::from_secs(1)) {
        if spec.max_age.is_some_and(|age| grace.value >= age) {
            section.reader.wrong(&grace, "the grace is not shorter than max_age", "write a shorter one");
        }
        spec.grace = grace.value;
    }
    spec.readers = names(section, "readers");
    spec.approval = section.boolean("approval").is_some_and(|at| at.value);
    spec.consumers = names(section, "consumers");
    spec.canary = section.boolean("canary").is_some_and(|at| at.value);
    draft
}

fn names(section: &Section<'_, '_>, key: &str) -> Vec<String> {
    let Some(list) = section.strings(key) else { return Vec::new() };
    if list.value.len() > MOST_NAMES {
        section.reader.wrong(&list, format!("there are more than {MOST_NAMES}"), "name fewer");
    }
    for at in &list.value {
        if at.value.is_empty() || at.value.len() > 256 || at.value.chars().any(char::is_control) {
            section.reader.wrong(at, "this is no name", "write 1 to 256 characters");
        }
    }
    list.value.into_iter().map(|at| at.value).collect()
}

#[derive(Clone, Copy)]
enum Method {
    Manual,
    Jwt,
    Postgres,
}

fn rotation(section: &Section<'_, '_>, draft: &mut SecretDraft) -> RotationMethod {
    let choices = [("manual", Method::Manual), ("jwt", Method::Jwt), ("postgres", Method::Postgres)];
    let method = section.choice("rotation", &choices).map_or(Method::Manual, |at| at.value);
    let mut unused = vec!["previous", "store", "users", "admin_secret"];
    let mut used = |key: &str| unused.retain(|it| *it != key);
    let found = match method {
        Method::Manual => RotationMethod::Manual,
        Method::Jwt => {
            used("previous");
            let previous = section.string("previous");
            match &previous {
                None => {
                    section.missing("previous", "name the variable in which programs find the key before")
                }
                Some(at) if !is_variable(&at.value) => {
                    section.reader.wrong(at, "this cannot name a variable", "use letters, digits and _");
                }
                Some(_) => {}
            }
            RotationMethod::Jwt { previous: previous.map_or_else(String::new, |at| at.value) }
        }
        Method::Postgres => {
            ["store", "users", "admin_secret"].into_iter().for_each(&mut used);
            let store = section.string("store");
            if store.is_none() {
                section.missing("store", "name the [postgres.NAME] whose user it is");
            }
            let users = section.strings("users");
            let pair: Option<[String; 2]> = users.as_ref().and_then(|at| {
                at.value.iter().map(|at| at.value.clone()).collect::<Vec<_>>().try_into().ok()
            });
            if pair.as_ref().is_none_or(|[a, b]| a == b || a.is_empty() || b.is_empty()) {
                let fix = "name two users that take turns: users = [\"insightdesk_a\", \"insightdesk_b\"]";
                match &users {
                    Some(at) => section.reader.wrong(at, "these are not two different users", fix),
                    None => section.missing("users", fix),
                }
            }
            let admin = section.string("admin_secret");
            draft.secrets.extend(admin.clone());
            draft.stores.extend(store.clone());
            RotationMethod::Postgres {
                store: store.map_or_else(String::new, |at| at.value),
                users: pair.unwrap_or_default(),
                admin_secret: admin.map(|at| at.value),
            }
        }
    };
    for key in unused {
        if let Some(at) = section.value(key) {
            section.reader.wrong(&at, format!("{key} means nothing for this rotation"), "remove it");
        }
    }
    found
}

fn source(name: &str, section: &Section<'_, '_>, environment: Environment) -> SecretSource {
    const FIX: &str = "add from = \"env\", \"encrypted_file\", \"vault\" or \"aws_secrets_manager\"; in development and test also \
                       \"generated\"";
    if section.value("from").is_none() {
        section.missing("from", FIX);
    }
    let from = section.choice(
        "from",
        &[
            ("env", From::Env),
            ("generated", From::Generated),
            ("encrypted_file", From::EncryptedFile),
            ("vault", From::Vault),
            ("aws_secrets_manager", From::Aws),
        ],
    );
    let kind = from.as_ref().map_or(From::Env, |at| at.value);
    let own: &[&str] = match kind {
        From::Env => &["variable"],
        From::Generated | From::EncryptedFile => &[],
        From::Vault => &["mount", "path", "field"],
        From::Aws => &["id", "field"],
    };
    for key in ["variable", "mount", "path", "field", "id"] {
        if let Some(at) = section.value(key).filter(|_| !own.contains(&key)) {
            section.reader.wrong(&at, format!("{key} means nothing for this store"), format!("remove {key}"));
        }
    }
    let text = |key: &str| {
        let at = section.string(key)?;
        if at.value.is_empty() || at.value.len() > 1_024 || at.value.chars().any(char::is_control) {
            section.reader.wrong(&at, format!("{key} cannot be this"), "write 1 to 1024 characters");
        }
        Some(at.value)
    };
    match kind {
        From::Generated => {
            if let Some(at) = from.filter(|_| !is_local(environment)) {
                let fix = "write from = \"encrypted_file\" and put it there with `insightdesk secrets set`";
                section.reader.wrong(&at, "generated secrets are for development and test only", fix);
            }
            SecretSource::Generated
        }
        From::EncryptedFile => SecretSource::EncryptedFile,
        From::Env => {
            let variable = section.string("variable");
            if let Some(at) = variable.as_ref().filter(|at| !is_variable(&at.value)) {
                let problem = format!("{} cannot name a variable", quoted(&at.value));
                section.reader.wrong(at, problem, "use letters, digits and _, and no digit first");
            }
            SecretSource::Env { variable: variable.map_or_else(|| name.to_owned(), |at| at.value) }
        }
        From::Vault => {
            let path = text("path");
            if path.as_ref().is_none_or(|path| path.split('/').any(|it| it.is_empty() || it == "..")) {
                section.missing("path", "write the path under the mount: path = \"api/jwt\"");
            }
            SecretSource::Vault {
                mount: text("mount").unwrap_or_else(|| "secret".to_owned()),
                path: path.unwrap_or_default(),
                field: text("field").unwrap_or_else(|| "value".to_owned()),
            }
        }
        From::Aws => {
            let id = text("id");
            if id.is_none() {
                section.missing("id", "write the secret's name or ARN");
            }
            SecretSource::AwsSecretsManager { id: id.unwrap_or_default(), field: text("field") }
        }
    }
}
