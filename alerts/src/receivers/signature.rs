//! Signatures of messages after Standard Webhooks: who holds the secret can tell that a message is ours, whole and of now.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

/// How a secret begins.
const PREFIX: &str = "whsec_";

/// A key that signs.
pub(super) struct SigningKey(SecretSlice<u8>);

impl SigningKey {
    /// Reads `whsec_` and 24 to 64 bytes in base64.
    pub(super) fn parse(secret: &str) -> Result<Self, &'static str> {
        let encoded = secret.trim().strip_prefix(PREFIX).ok_or("a signing secret begins with whsec_")?;
        let bytes = STANDARD.decode(encoded).map_err(|_| "a signing secret is base64 after its whsec_")?;
        if !(24..=64).contains(&bytes.len()) {
            return Err("a signing secret is 24 to 64 bytes long");
        }
        Ok(Self(bytes.into()))
    }

    /// `v1,…` over the message's id, the time of the attempt in Unix seconds, and the bytes that are sent.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("HMAC takes a key of any length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vector_is_met() {
        let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_is_no_secret_is_told_without_the_secret() {
        let long = format!("whsec_{}", "QUFB".repeat(22));
        for (secret, part) in [
            ("", "begins with whsec_"),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "begins with whsec_"),
            ("whsec_?", "base64"),
            ("whsec_", "24 to 64"),
            ("whsec_QUFB", "24 to 64"),
            (&long, "24 to 64"),
        ] {
            let told = SigningKey::parse(secret).map(|_| ()).unwrap_err();
            assert!(told.contains(part), "{secret}: {told}");
        }
    }
}
