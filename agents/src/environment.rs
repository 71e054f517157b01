//! The agent's own environment: the only place that reads it. No secret is looked for here: the server hands them out.

use std::collections::BTreeMap;

/// What every program is given of the agent's environment. Everything else is the stack file's to say.
const INHERITED: [&str; 9] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER", "LOGNAME", "TMPDIR", "SHELL"];

/// What every program inherits.
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Reads the variables of this process.
    pub(crate) fn read() -> Self {
        let mut variables: BTreeMap<String, String> = INHERITED
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
            .collect();
        variables.entry("PATH".to_owned()).or_insert_with(|| "/usr/local/bin:/usr/bin:/bin".to_owned());
        Self(variables)
    }

    /// Name and value of each variable that every program inherits.
    pub(crate) fn inherited(&self) -> BTreeMap<String, String> {
        self.0.clone()
    }
}
