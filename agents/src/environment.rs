//! The agent's own environment: the only place that reads it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use secrecy::SecretString;

/// What every program is given of the agent's environment. Everything else is the stack file's to say.
const INHERITED: [&str; 9] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER", "LOGNAME", "TMPDIR", "SHELL"];
/// Longest `.env` file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// Variables of the process, and over them nothing: a variable that is set wins over its line in the file.
pub(crate) struct Environment {
    process: BTreeMap<String, String>,
    file: BTreeMap<String, SecretString>,
}

impl Environment {
    /// Reads the variables of this process and the lines of `env_file`, if there is one.
    pub(crate) fn read(env_file: Option<&Path>) -> anyhow::Result<Self> {
        let file = match env_file {
            Some(path) if path.exists() => {
                if path.metadata().is_ok_and(|file| file.len() > MAX_BYTES) {
                    bail!("{} is longer than {MAX_BYTES} bytes", path.display());
                }
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                parse(&text)
            }
            _ => BTreeMap::new(),
        };
        let process = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Ok(Self { process: process.collect(), file })
    }

    /// A secret by the name of its variable; an empty value is none.
    pub(crate) fn secret(&self, variable: &str) -> Option<SecretString> {
        let set = self.process.get(variable).filter(|value| !value.is_empty());
        set.map(|value| SecretString::from(value.as_str())).or_else(|| self.file.get(variable).cloned())
    }

    /// What every program inherits.
    pub(crate) fn inherited(&self) -> BTreeMap<String, String> {
        let mut base: BTreeMap<String, String> = INHERITED
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.process.get(*name)?.clone())))
            .collect();
        base.entry("PATH".to_owned()).or_insert_with(|| "/usr/local/bin:/usr/bin:/bin".to_owned());
        base
    }
}

/// `NAME=value` lines, with `export`, comments and quotes as shells write them.
fn parse(text: &str) -> BTreeMap<String, SecretString> {
    let mut variables = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else { continue };
        let value = unquoted(value.trim());
        if !value.is_empty() {
            variables.insert(name.trim().to_owned(), SecretString::from(value));
        }
    }
    variables
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inside;
        }
    }
    value.split_once(" #").map_or(value, |(value, _)| value.trim_end())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn env_files_are_read_as_shells_write_them() {
        let text = "# c\nA=1\nexport B=\"two words\"\nC='x # y' # z\nD=v # note\nE=\nrubbish\n";
        let read: Vec<(String, String)> = parse(text)
            .iter()
            .map(|(name, value)| (name.clone(), value.expose_secret().to_owned()))
            .collect();
        let expected = [("A", "1"), ("B", "two words"), ("C", "x # y"), ("D", "v")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
