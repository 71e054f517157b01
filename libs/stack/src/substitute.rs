//! Puts `${…}` into the services' variables. Secrets stay as `${secret.NAME}`: the agent puts them in at start.

use std::collections::BTreeMap;

use ops_contract::ServiceRole;

use crate::reader::{At, Reader, quoted};
use crate::sections::Draft;
use crate::{Context, check};

const KNOWN: &str = "known: ${postgres.NAME.url}, ${postgres.NAME.replica_url}, ${valkey.NAME.url}, \
                     ${balancer.url}, ${services.NAME.port}, ${state_dir}, ${secret.NAME}";

/// The variables of each service, those of `[env]` among them.
pub(crate) fn all(
    reader: &Reader<'_>,
    draft: &Draft,
    context: &Context,
) -> BTreeMap<String, BTreeMap<String, String>> {
    // A shared variable is looked at once, also when every service has its own of that name.
    let shared = texts(reader, draft, context, &draft.env);
    let services = draft.services.iter().map(|(name, service)| {
        let own = texts(reader, draft, context, &service.env);
        let mut env = match service.spec.role {
            ServiceRole::Infrastructure => BTreeMap::new(),
            ServiceRole::Frontend | ServiceRole::Background => shared.clone(),
        };
        env.extend(own);
        (name.clone(), env)
    });
    services.collect()
}

fn texts(
    reader: &Reader<'_>,
    draft: &Draft,
    context: &Context,
    variables: &BTreeMap<String, At<String>>,
) -> BTreeMap<String, String> {
    variables.iter().map(|(name, at)| (name.clone(), text(reader, draft, context, at))).collect()
}

fn text(reader: &Reader<'_>, draft: &Draft, context: &Context, at: &At<String>) -> String {
    let mut text = String::new();
    let mut rest = at.value.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        text.push_str(before);
        let Some((reference, after)) = after.split_once('}') else {
            // What follows may be a value that must not be shown.
            reader.wrong(at, "a ${ is not closed", "write ${…}");
            return text;
        };
        match value(reader, draft, context, at, reference) {
            Ok(value) => text.push_str(&value),
            Err((problem, fix)) => reader.wrong(at, problem, fix),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

type Wrong = (String, String);

fn value(
    reader: &Reader<'_>,
    draft: &Draft,
    context: &Context,
    at: &At<String>,
    reference: &str,
) -> Result<String, Wrong> {
    let parts: Vec<&str> = reference.split('.').collect();
    match parts.as_slice() {
        ["postgres", name, what @ ("url" | "replica_url")] => {
            let spec = &draft.postgres.get(*name).ok_or_else(|| absent(&format!("[postgres.{name}]")))?.spec;
            let host = match *what {
                "replica_url" => spec.replicas.first().unwrap_or(&spec.primary),
                _ => &spec.primary,
            };
            let password = password(spec.password_secret.as_deref());
            Ok(format!("postgresql://{}{password}@{host}/{}", spec.user, spec.database))
        }
        ["valkey", name, "url"] => {
            let spec = &draft.valkey.get(*name).ok_or_else(|| absent(&format!("[valkey.{name}]")))?.spec;
            let user = match password(spec.password_secret.as_deref()) {
                password if password.is_empty() => password,
                password => password + "@",
            };
            Ok(format!("valkey://{user}{}", spec.address))
        }
        ["balancer", "url"] => {
            let balancer = draft.balancer.as_ref().ok_or_else(|| absent("[balancer]"))?;
            Ok(format!("http://127.0.0.1:{}", balancer.port.value))
        }
        ["services", name, "port"] => {
            let service = draft.services.get(*name).ok_or_else(|| absent(&format!("[services.{name}]")))?;
            let port = service.spec.port.ok_or_else(|| {
                let fix = format!("give services.{name} a port, or reach it through the balancer");
                (format!("{name} has no fixed port"), fix)
            })?;
            Ok(port.to_string())
        }
        ["state_dir"] => Ok(context.state_dir.to_string_lossy().into_owned()),
        ["secret", name] => {
            check::secret(reader, draft, at, name);
            Ok(format!("${{secret.{name}}}"))
        }
        _ => Err((format!("there is no {}", quoted(&format!("${{{reference}}}"))), KNOWN.to_owned())),
    }
}

fn password(secret: Option<&str>) -> String {
    secret.map(|name| format!(":${{secret.{name}}}")).unwrap_or_default()
}

fn absent(section: &str) -> Wrong {
    (format!("there is no {} in this file", quoted(section)), "add it, or correct the name".to_owned())
}
