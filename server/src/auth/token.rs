use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// Memory in KiB and passes. Tokens hold 256 random bits, so guessing them is hopeless whatever the hash costs; these
/// figures keep the server within its memory budget and still slow down who has a copy of the store and weak tokens
/// that an operator chose.
const MEMORY_KIB: u32 = 4 * 1_024;
const PASSES: u32 = 2;
const LENGTH: usize = 32;

/// 256 random bits as text.
pub(crate) fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// A new operator's token.
pub(crate) fn random_token() -> String {
    format!("idk_{}", random())
}

/// SHA-256 as text: finds a credential that memory or the store knows.
pub(crate) fn fingerprint(credential: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(credential.as_bytes()))
}

/// Finds a token's row. Part of another hash than [`fingerprint`], so that neither tells the other.
pub(crate) fn lookup_id(token: &str) -> String {
    fingerprint(&format!("token id: {token}")).chars().take(22).collect()
}

/// The token as the store keeps it. Runs on a blocking thread.
pub(crate) async fn hash(token: &str) -> anyhow::Result<String> {
    let token = token.to_owned();
    tokio::task::spawn_blocking(move || {
        let salt = rand::random::<[u8; 16]>();
        let hash = derive(&token, &salt)?;
        let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
        Ok(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1${salt}${hash}"))
    })
    .await?
}

/// Whether the token is that of the hash.
pub(crate) async fn verify(token: &str, hash: &str) -> bool {
    let (token, hash) = (token.to_owned(), hash.to_owned());
    tokio::task::spawn_blocking(move || {
        let mut parts = hash.rsplit('$');
        let (Some(expected), Some(salt)) = (parts.next(), parts.next()) else { return false };
        let (Ok(expected), Ok(salt)) = (STANDARD_NO_PAD.decode(expected), STANDARD_NO_PAD.decode(salt))
        else {
            return false;
        };
        let Ok(found) = derive(&token, &salt) else { return false };
        // No early end: the time must not tell how much was right.
        expected.len() == LENGTH && found.iter().zip(&expected).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
    })
    .await
    .unwrap_or(false)
}

fn derive(token: &str, salt: &[u8]) -> anyhow::Result<[u8; LENGTH]> {
    let failed = |error: argon2::Error| anyhow::anyhow!("could not hash a token: {error}");
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(LENGTH)).map_err(failed)?;
    let mut out = [0; LENGTH];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(token.as_bytes(), salt, &mut out)
        .map_err(failed)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_is_verified_by_its_own_hash_only() {
        let (good, bad) = (random_token(), random_token());
        let hash = hash(&good).await.unwrap();
        assert!(verify(&good, &hash).await);
        assert!(!verify(&bad, &hash).await);
        assert!(!hash.contains(&good));
    }

    #[tokio::test]
    async fn a_damaged_hash_verifies_nothing() {
        for hash in
            ["", "$", "$argon2id$v=19$m=4096,t=2,p=1$$", "$a$b$c", "$argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA"]
        {
            assert!(!verify("token", hash).await, "{hash:?}");
        }
    }
}
