//! Access and refresh tokens: JWT, HS256, each kind with a secret of its own.
//!
//! Who holds a valid token is who it says until it expires; nothing is looked up.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a person may do in their organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Opens tickets and sees their own.
    Customer,
    /// Answers every ticket of the organisation.
    Agent,
    /// Also configures.
    Admin,
}

/// What a token says of its holder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// The user.
    pub sub: Uuid,
    /// The user's organisation.
    pub org: Uuid,
    /// The user's role in it.
    pub role: Role,
    /// When it was issued, in s since 1970.
    pub iat: i64,
    /// When it expires, in s since 1970.
    pub exp: i64,
    /// Tells tokens of the same second apart.
    pub jti: Uuid,
}

/// Signs and checks one kind of token.
pub struct Tokens {
    encoding: EncodingKey,
    /// The key that signs, and one more while keys are renewed.
    decoding: Vec<DecodingKey>,
    validation: Validation,
    lifetime: Duration,
}

/// The token is none of ours, or not any more.
#[derive(Debug, thiserror::Error)]
#[error("the token is not valid")]
pub struct Invalid;

impl Tokens {
    /// Tokens signed with `secret`, valid for `lifetime`.
    pub fn new(secret: &SecretString, lifetime: Duration) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 5;
        Self {
            encoding: EncodingKey::from_secret(secret.expose_secret().as_bytes()),
            decoding: vec![DecodingKey::from_secret(secret.expose_secret().as_bytes())],
            validation,
            lifetime,
        }
    }

    /// Takes tokens that are signed with `other` too: the key before a renewal, or the one to come.
    #[must_use]
    pub fn also(mut self, other: Option<&SecretString>) -> Self {
        self.decoding.extend(other.map(|key| DecodingKey::from_secret(key.expose_secret().as_bytes())));
        self
    }

    /// For how long a new token is valid.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Signs a token for a user.
    pub fn issue(&self, user: Uuid, organisation: Uuid, role: Role) -> anyhow::Result<String> {
        let iat = jiff::Timestamp::now().as_second();
        let exp = iat.saturating_add_unsigned(self.lifetime.as_secs());
        let claims = Claims { sub: user, org: organisation, role, iat, exp, jti: Uuid::new_v4() };
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)?)
    }

    /// What the token says, if it is ours and has not expired.
    pub fn verify(&self, token: &str) -> Result<Claims, Invalid> {
        // A signed token of ours is some 300 bytes; whatever is far longer is not worth a hash.
        if token.len() > 4096 {
            return Err(Invalid);
        }
        let claims = |key| Some(jsonwebtoken::decode::<Claims>(token, key, &self.validation).ok()?.claims);
        self.decoding.iter().find_map(claims).ok_or(Invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_tokens_of_the_right_kind_are_accepted() {
        let access = Tokens::new(&"a".repeat(32).into(), Duration::from_secs(60));
        let refresh = Tokens::new(&"b".repeat(32).into(), Duration::from_secs(60));
        let expired = Tokens::new(&"a".repeat(32).into(), Duration::ZERO);
        let (user, organisation) = (Uuid::new_v4(), Uuid::new_v4());
        let token = access.issue(user, organisation, Role::Agent).unwrap();
        assert_eq!(access.verify(&token).unwrap().sub, user);
        assert!(refresh.verify(&token).is_err());
        assert!(
            access.verify(&expired.issue(user, organisation, Role::Agent).unwrap()).is_ok(),
            "within the leeway"
        );
        let renewed = Tokens::new(&"c".repeat(32).into(), Duration::from_secs(60));
        assert!(renewed.verify(&token).is_err());
        let renewed = renewed.also(None).also(Some(&"a".repeat(32).into()));
        assert!(
            renewed.verify(&token).is_ok()
                && access.verify(&renewed.issue(user, organisation, Role::Agent).unwrap()).is_err()
        );
        assert!(renewed.verify(&refresh.issue(user, organisation, Role::Agent).unwrap()).is_err());
        for rubbish in ["", "a.b.c", &"x".repeat(1 << 20), &token[..token.len() - 2]] {
            assert!(access.verify(rubbish).is_err());
        }
        // The header of an unsigned token: {"alg":"none"}.
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", token.split('.').nth(1).unwrap());
        assert!(access.verify(&unsigned).is_err());
    }
}
