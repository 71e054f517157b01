//! What is encrypted with what: each value with a random key of its own, that key with the master key. And a seal over the whole
//! file, so that nothing in it can be edited, taken out or put elsewhere.
//!
//! XChaCha20-Poly1305 throughout: its nonces are long enough to be random. What a ciphertext is for is its associated data.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ops_contract::Timestamp;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::format::{Record, Sealed};
use crate::secrets::stores::master_key::Key;

/// Length of a nonce, bytes.
const NONCE: usize = 24;
/// Why a cipher cannot fail to encrypt.
const SHORT: &str = "it is shorter than the 256 GiB that the cipher takes";

/// Something that was put in cannot be had out again: another key, or other bytes than were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Encrypts `value` as version `version` of the secret `name`.
pub(super) fn record(
    master: &Key,
    name: &str,
    version: u64,
    value: &SecretString,
    changed_at: Timestamp,
) -> Record {
    let key = Key::random();
    let bytes = value.expose_secret().as_bytes();
    Record {
        version,
        changed_at,
        key: encrypt(master, &context("key", name, version), key.bytes()),
        value: encrypt(&key, &context("value", name, version), bytes),
    }
}

/// The value of a record of the secret `name`.
pub(super) fn open(master: &Key, name: &str, record: &Record) -> Result<SecretString, Broken> {
    let key = data_key(master, name, record)?;
    let bytes = decrypt(&key, &context("value", name, record.version), &record.value)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Broken)?;
    Ok(SecretString::from(text))
}

/// Encrypts the record's own key with another master key.
pub(super) fn rewrap(from: &Key, to: &Key, name: &str, record: &mut Record) -> Result<(), Broken> {
    let key = data_key(from, name, record)?;
    record.key = encrypt(to, &context("key", name, record.version), key.bytes());
    Ok(())
}

/// The seal over `covered`.
pub(super) fn seal(master: &Key, covered: &[u8]) -> Sealed {
    encrypt(master, &sealed(covered), b"")
}

/// Whether `seal` is over exactly `covered`.
pub(super) fn check(master: &Key, covered: &[u8], seal: &Sealed) -> Result<(), Broken> {
    let inside = decrypt(master, &sealed(covered), seal)?;
    if inside.is_empty() { Ok(()) } else { Err(Broken) }
}

fn data_key(master: &Key, name: &str, record: &Record) -> Result<Key, Broken> {
    let bytes = decrypt(master, &context("key", name, record.version), &record.key)?;
    Key::from_bytes(&bytes).ok_or(Broken)
}

/// What a ciphertext is for. The name comes last and everything before it has one length, so that no two are alike.
fn context(what: &str, name: &str, version: u64) -> Vec<u8> {
    let mut bytes = format!("insightdesk secrets file 1 {what:5} ").into_bytes();
    bytes.extend_from_slice(&version.to_be_bytes());
    bytes.extend_from_slice(name.as_bytes());
    bytes
}

fn sealed(covered: &[u8]) -> Vec<u8> {
    let mut bytes = b"insightdesk secrets file 1 whole ".to_vec();
    bytes.extend_from_slice(covered);
    bytes
}

fn encrypt(key: &Key, context: &[u8], plain: &[u8]) -> Sealed {
    let nonce: [u8; NONCE] = rand::random();
    let payload = Payload { msg: plain, aad: context };
    let encrypted = cipher(key).encrypt(&XNonce::from(nonce), payload).expect(SHORT);
    let mut bytes = nonce.to_vec();
    bytes.extend_from_slice(&encrypted);
    Sealed(STANDARD.encode(bytes))
}

fn decrypt(key: &Key, context: &[u8], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Broken> {
    let bytes = STANDARD.decode(&sealed.0).map_err(|_| Broken)?;
    let (nonce, encrypted) = bytes.split_first_chunk::<NONCE>().ok_or(Broken)?;
    let payload = Payload { msg: encrypted, aad: context };
    cipher(key).decrypt(&XNonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| Broken)
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}
