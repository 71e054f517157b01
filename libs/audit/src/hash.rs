//! SHA-256 in the three places where the log uses it, each with its own first byte.
//!
//! 0x00 and 0x01 are those of RFC 6962, so that a leaf can never be taken for a node (second preimage); 0x02 is ours
//! for the chain.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

const LEAF: u8 = 0x00;
const NODE: u8 = 0x01;
const CHAIN: u8 = 0x02;
/// Characters of a hash in base64.
const ENCODED: usize = 44;

/// A SHA-256 hash; base64 in text and JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

/// A text that is no hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 hash in base64: it takes 44 characters")]
pub struct HashError;

impl Hash {
    /// Reads base64 (RFC 4648 section 4, with padding).
    ///
    /// # Errors
    /// When it is anything else than 32 bytes in canonical base64.
    pub fn parse(text: &str) -> Result<Self, HashError> {
        // The length first: decoding must not allocate for what cannot be a hash.
        if text.len() != ENCODED {
            return Err(HashError);
        }
        // `decode_slice` wants room for what the length could hold, padding included.
        let mut bytes = [0; 33];
        let length = STANDARD.decode_slice(text, &mut bytes).map_err(|_| HashError)?;
        let bytes = bytes.get(..length).ok_or(HashError)?;
        bytes.try_into().map(Self).map_err(|_| HashError)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Hash;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a SHA-256 hash in base64")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Hash, E> {
        Hash::parse(text).map_err(E::custom)
    }
}

/// Bytes in JSON as base64; for `#[serde(with)]`.
pub(crate) mod base64_bytes {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 16], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 16], D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let mut bytes = [0; 18];
        let length = STANDARD.decode_slice(text.as_bytes(), &mut bytes).map_err(D::Error::custom)?;
        let bytes = bytes.get(..length).unwrap_or_default();
        bytes.try_into().map_err(|_| D::Error::custom("a salt takes 16 bytes"))
    }
}

/// Leaf hash of RFC 6962: of the canonical bytes of an entry.
#[must_use]
pub fn leaf(data: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([LEAF]).chain_update(data).finalize().into())
}

/// Node hash of RFC 6962.
#[must_use]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let mut data = [NODE; 65];
    data[1..33].copy_from_slice(&left.0);
    data[33..].copy_from_slice(&right.0);
    Hash(Sha256::digest(data).into())
}

/// Root of the tree without leaves: the hash of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Hash(Sha256::digest([]).into())
}

/// Hash for the chain; `domain` names what `data` is.
pub(crate) fn chained(domain: &[u8], data: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([CHAIN]).chain_update(domain).chain_update(data).finalize().into())
}

/// First bytes of a plain SHA-256, as the key ids of signed notes are.
pub(crate) fn first_four(parts: &[&[u8]]) -> [u8; 4] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    let bytes: [u8; 32] = hasher.finalize().into();
    [bytes[0], bytes[1], bytes[2], bytes[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_survives_its_text_and_nothing_else_is_one() {
        let hash = leaf(b"x");
        assert_eq!(Hash::parse(&hash.to_string()), Ok(hash));
        let text = hash.to_string();
        for bad in ["", "AAAA", &text[1..], &format!("{text}A"), &text.replace('=', "A"), &"é".repeat(22)] {
            assert_eq!(Hash::parse(bad), Err(HashError), "{bad}");
        }
        // The two bits that padding leaves over must be zero, or one hash would have four texts.
        assert_eq!(Hash::parse(&format!("{}B=", "A".repeat(42))), Err(HashError));
        assert!(Hash::parse(&format!("{}=", "A".repeat(43))).is_ok());
    }

    #[test]
    fn a_leaf_that_is_two_hashes_is_not_their_node() {
        let (left, right) = (leaf(b"a"), leaf(b"b"));
        let mut both = left.0.to_vec();
        both.extend(right.0);
        assert_ne!(leaf(&both), node(&left, &right));
        assert_ne!(chained(b"", &both), node(&left, &right));
    }
}
