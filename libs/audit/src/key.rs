//! Keys that sign the log, written as signed notes do: `name+id+key`.
//!
//! The id is the first four bytes of `SHA-256(name, newline, 0x01, public key)` (C2SP signed-note, Ed25519). It is a
//! label to find a key by and proves nothing.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::hash;

/// Signature type of Ed25519 in signed notes.
const ED25519: u8 = 0x01;
/// What a secret key begins with in text.
const SECRET: &str = "PRIVATE+KEY+";
/// Bytes of a key's name at most.
pub const MAX_KEY_NAME: usize = 255;

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, too long, with a space, a plus or a control character.
    #[error("a key's name has 1 to 255 bytes and no space, plus sign or control character")]
    BadName,
    /// Not `name+id+key`.
    #[error("not a key: it is written name+id+key")]
    BadForm,
    /// Another algorithm, or not 32 bytes.
    #[error("not an Ed25519 key")]
    NotEd25519,
    /// A point of small order: signatures by it prove nothing.
    #[error("a weak Ed25519 key")]
    Weak,
    /// The id belongs to another key.
    #[error("the key's id does not belong to it")]
    WrongId,
}

/// Which key: name and id together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    /// Name; that of the log.
    pub name: String,
    /// First four bytes of a hash.
    pub id: [u8; 4],
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}", self.name, u32::from_be_bytes(self.id))
    }
}

/// A key to verify with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey {
    id: KeyId,
    key: VerifyingKey,
}

impl PublicKey {
    /// The Ed25519 key `bytes` under the name `name`.
    ///
    /// # Errors
    /// When the name has not the form of one, or the bytes are no good key.
    pub fn new(name: &str, bytes: &[u8; 32]) -> Result<Self, KeyError> {
        check_name(name)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotEd25519)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        let id = hash::first_four(&[name.as_bytes(), b"\n", &[ED25519], bytes]);
        Ok(Self { id: KeyId { name: name.to_owned(), id }, key })
    }

    /// Name and id.
    #[must_use]
    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// The 32 bytes of RFC 8032.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether `signature` is this key's over `message`. Strict: one signature for one message and key.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [ED25519; 33];
        bytes[1..].copy_from_slice(self.as_bytes());
        write!(f, "{}+{}", self.id, STANDARD.encode(bytes))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for PublicKey {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, id, key) = parts(text)?;
        let key = Self::new(name, &key)?;
        if key.id.id == id { Ok(key) } else { Err(KeyError::WrongId) }
    }
}

/// Signs. A trait because a key management service can, without ever giving the key away; one that answers later signs
/// the text of a checkpoint by itself and hands the signature to [`crate::note::Note::add`].
pub trait Signer {
    /// The key that verifies.
    fn public(&self) -> &PublicKey;

    /// Signs `message`.
    ///
    /// # Errors
    /// When the key cannot be used now.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

/// A key could not be used.
#[derive(Debug, thiserror::Error)]
#[error("the key {key} could not sign")]
pub struct SignError {
    /// Which key.
    pub key: KeyId,
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// A key of ours that lies in memory; overwritten when dropped.
pub struct LocalKey {
    key: SigningKey,
    public: PublicKey,
}

impl LocalKey {
    /// The key that these 32 random bytes make.
    ///
    /// # Errors
    /// When the name has not the form of one.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let public = PublicKey::new(name, key.verifying_key().as_bytes())?;
        Ok(Self { key, public })
    }

    /// Reads what [`to_secret_text`](Self::to_secret_text) wrote.
    ///
    /// # Errors
    /// When it is no secret key.
    pub fn from_secret_text(text: &str) -> Result<Self, KeyError> {
        let (name, id, seed) = parts(text.strip_prefix(SECRET).ok_or(KeyError::BadForm)?)?;
        let key = Self::from_seed(name, &seed)?;
        if key.public.id.id == id { Ok(key) } else { Err(KeyError::WrongId) }
    }

    /// The key as text (`PRIVATE+KEY+name+id+seed`, as Go's `note` has it). **Secret.**
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        let mut bytes = [ED25519; 33];
        bytes[1..].copy_from_slice(self.key.as_bytes());
        format!("{SECRET}{}+{}", self.public.id, STANDARD.encode(bytes))
    }
}

impl fmt::Debug for LocalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalKey({})", self.public.id)
    }
}

impl Signer for LocalKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        Ok(self.key.sign(message).to_bytes())
    }
}

pub(crate) fn check_name(name: &str) -> Result<(), KeyError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.len() > MAX_KEY_NAME || name.chars().any(bad) {
        return Err(KeyError::BadName);
    }
    Ok(())
}

/// `name+id+base64(type, 32 bytes)`; the base64 may hold plus signs.
fn parts(text: &str) -> Result<(&str, [u8; 4], [u8; 32]), KeyError> {
    let (name, rest) = text.split_once('+').ok_or(KeyError::BadForm)?;
    let (id, key) = rest.split_once('+').ok_or(KeyError::BadForm)?;
    let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if id.len() != 8 || !id.bytes().all(lower_hex) {
        return Err(KeyError::BadForm);
    }
    let id = u32::from_str_radix(id, 16).map_err(|_| KeyError::BadForm)?.to_be_bytes();
    let mut bytes = [0; 33];
    if key.len() != 44 || STANDARD.decode_slice(key, &mut bytes) != Ok(33) {
        return Err(KeyError::NotEd25519);
    }
    match bytes.split_first() {
        Some((&ED25519, key)) => Ok((name, id, key.try_into().map_err(|_| KeyError::NotEd25519)?)),
        _ => Err(KeyError::NotEd25519),
    }
}
