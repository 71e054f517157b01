//! What the server reads from its environment and the `.env` file: tokens of other metric stores that it needs itself, and the
//! stack's secrets that lie there.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use ops_contract::{SecretSource, Stack};
use secrecy::SecretString;

use crate::place::Place;

/// Reads them from the environment or else from the `.env` file beside the stack file, by name.
pub(crate) fn of_server(place: &Place, stack: &Stack) -> anyhow::Result<BTreeMap<String, SecretString>> {
    let senders = stack.telemetry.remote_write.iter().filter_map(|it| it.token_secret.as_ref());
    let names: Vec<&String> = senders.chain(&stack.alerts.query_token_secret).collect();
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let lines = lines(place)?;
    let mut secrets = BTreeMap::new();
    for name in names {
        let Some(SecretSource::Env { variable }) = stack.secrets.get(name).map(|it| &it.source) else {
            bail!("the server sends the secret {name}, so [secrets.{name}] must say from = \"env\"");
        };
        let set = std::env::var(variable).ok().filter(|it| !it.is_empty());
        let value = set.or_else(|| lines.get(variable).cloned());
        let value = value.with_context(|| {
            format!("the secret {name} has no value: set {variable} in the environment or in .env")
        })?;
        secrets.insert(name.clone(), SecretString::from(value));
    }
    Ok(secrets)
}

/// The variables that secrets of the stack are read from, by name: the environment counts first.
pub(crate) fn of_stack(
    stack: &Stack,
    lines: &BTreeMap<String, SecretString>,
) -> BTreeMap<String, SecretString> {
    let mut found = BTreeMap::new();
    for spec in stack.secrets.values() {
        let SecretSource::Env { variable } = &spec.source else { continue };
        let set = std::env::var(variable).ok().filter(|it| !it.is_empty()).map(SecretString::from);
        if let Some(value) = set.or_else(|| lines.get(variable).cloned()) {
            found.insert(variable.clone(), value);
        }
    }
    found
}

/// What the `.env` file says, by name.
pub(crate) fn variables(place: &Place) -> anyhow::Result<BTreeMap<String, SecretString>> {
    Ok(lines(place)?.into_iter().map(|(name, value)| (name, SecretString::from(value))).collect())
}

fn lines(place: &Place) -> anyhow::Result<BTreeMap<String, String>> {
    let file = place.base.join(".env");
    if !file.is_file() {
        return Ok(BTreeMap::new());
    }
    let text =
        std::fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))?;
    let lines = ops_settings::read_env_file(&text)
        .map_err(|report| anyhow::anyhow!("{} has faults: {report:?}", file.display()))?;
    Ok(lines.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use ops_contract::SecretSpec;
    use secrecy::ExposeSecret;

    use super::*;

    fn stack(source: SecretSource) -> Stack {
        let mut stack: Stack = serde_json::from_value(serde_json::json!({
            "name": "x", "environment": "test", "services": {}, "postgres": {}, "valkey": {}, "secrets": {},
        }))
        .unwrap();
        stack.alerts.query_token_secret = Some("METRICS".to_owned());
        stack.secrets.insert("METRICS".to_owned(), SecretSpec::new(source));
        stack
    }

    fn place(folder: &std::path::Path) -> Place {
        Place {
            stack_file: folder.join("insightdesk.toml"),
            base: folder.to_owned(),
            state: folder.join("state"),
        }
    }

    #[test]
    fn a_token_is_read_from_the_file_and_its_absence_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let stack = stack(SecretSource::Env { variable: "OPS_TEST_METRICS_TOKEN".to_owned() });
        let error = of_server(&place(folder.path()), &stack).unwrap_err().to_string();
        assert!(error.contains("OPS_TEST_METRICS_TOKEN"), "{error}");
        std::fs::write(folder.path().join(".env"), "OPS_TEST_METRICS_TOKEN=abc\n").unwrap();
        let secrets = of_server(&place(folder.path()), &stack).unwrap();
        assert_eq!(secrets.get("METRICS").unwrap().expose_secret(), "abc");
    }

    #[test]
    fn what_only_agents_can_know_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(of_server(&place(folder.path()), &stack(SecretSource::Generated)).is_err());
    }
}
