//! Where things are: the stack file, and the state folder beside it.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cli::Globals;

/// Name of the stack file.
const STACK_FILE: &str = "insightdesk.toml";

/// Where a stack is and keeps its state. All paths are absolute.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The stack file; it may be missing.
    pub(crate) stack_file: PathBuf,
    /// The folder of the stack file: programs and `.env` are looked for here.
    pub(crate) base: PathBuf,
    /// The state folder; it may be missing.
    pub(crate) state: PathBuf,
}

impl Place {
    /// From the command line, else the nearest `insightdesk.toml` in this folder or one above.
    pub(crate) fn find(globals: &Globals) -> anyhow::Result<Self> {
        let here = std::env::current_dir().context("could not tell the current folder")?;
        let stack_file = match &globals.stack {
            Some(file) => here.join(file),
            None => nearest(&here).unwrap_or_else(|| here.join(STACK_FILE)),
        };
        let base = stack_file.parent().unwrap_or(&here).to_owned();
        let state = globals.state_dir.as_ref().map_or_else(|| base.join(".insightdesk"), |it| here.join(it));
        Ok(Self { stack_file, base, state })
    }

    /// What the CLI needs to find the server: `{url, token}`, for the owner's eyes only.
    pub(crate) fn client_file(&self) -> PathBuf {
        self.state.join("client.json")
    }

    /// Who runs: `{pid, server_pid, agent_pid, urls}`.
    pub(crate) fn up_file(&self) -> PathBuf {
        self.state.join("up.json")
    }

    /// The token of the operator `local`.
    pub(crate) fn operator_token(&self) -> PathBuf {
        self.state.join("operator.token")
    }

    /// The token of the agent `local`.
    pub(crate) fn agent_token(&self) -> PathBuf {
        self.state.join("agent.token")
    }

    /// The log of `up`, `server` or `agent`.
    pub(crate) fn control_log(&self, name: &str) -> PathBuf {
        self.state.join("logs/control").join(format!("{name}.log"))
    }

    /// The lock of `up`, `server` or `agent`.
    pub(crate) fn lock(&self, name: &str) -> PathBuf {
        self.state.join("control").join(format!("{name}.lock"))
    }
}

fn nearest(here: &Path) -> Option<PathBuf> {
    here.ancestors().map(|folder| folder.join(STACK_FILE)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_file_of_a_folder_above_is_found() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(STACK_FILE), "").unwrap();
        let below = folder.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        assert_eq!(nearest(&below), Some(folder.path().join(STACK_FILE)));
    }
}
