//! `up.json`: who runs, for people and tests. The locks decide; this only tells.

use serde_json::json;

use super::files::write_private;
use crate::place::Place;

/// What `up.json` says.
#[derive(Clone, Debug, Default)]
pub(crate) struct UpFile {
    /// The server's pid.
    pub(crate) server: Option<u32>,
    /// The agent's pid.
    pub(crate) agent: Option<u32>,
    /// The server's address.
    pub(crate) url: String,
}

impl UpFile {
    /// Writes it.
    pub(crate) fn write(&self, place: &Place) -> anyhow::Result<()> {
        let file = json!({
            "pid": std::process::id(),
            "server_pid": self.server,
            "agent_pid": self.agent,
            "urls": {"dashboard": self.url},
        });
        write_private(&place.up_file(), file.to_string().as_bytes())
    }
}
