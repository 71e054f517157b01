//! The tokens of this folder's operator and agent, both named `local`: random, for the owner's eyes, kept over restarts.

use std::path::Path;

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::files::write_private;
use crate::place::Place;

/// Shorter ones can be guessed.
const SHORTEST: usize = 20;

/// Makes what is missing, and says in `client.json` where the server is.
pub(crate) fn ensure(place: &Place, url: &str) -> anyhow::Result<SecretString> {
    let operator = ensure_one(&place.operator_token())?;
    ensure_one(&place.agent_token())?;
    let known = json!({"url": url, "token": operator.expose_secret()});
    write_private(&place.client_file(), known.to_string().as_bytes())?;
    Ok(operator)
}

/// Reads a token from its file.
pub(crate) fn read(file: &Path) -> anyhow::Result<SecretString> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("could not read the token in {}", file.display()))?;
    let token = text.trim();
    if token.len() < SHORTEST || token.len() > 500 {
        bail!("{} holds no token: it must be {SHORTEST} to 500 characters long", file.display());
    }
    Ok(SecretString::from(token))
}

fn ensure_one(file: &Path) -> anyhow::Result<SecretString> {
    if let Ok(token) = read(file) {
        return Ok(token);
    }
    let token = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    write_private(file, token.as_bytes())?;
    Ok(SecretString::from(token))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn tokens_are_made_once_and_only_their_owner_may_read_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent.token");
        let made = ensure_one(&file).unwrap();
        assert_eq!(ensure_one(&file).unwrap().expose_secret(), made.expose_secret());
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_short_token_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "short\n").unwrap();
        assert!(read(&file).is_err());
    }
}
