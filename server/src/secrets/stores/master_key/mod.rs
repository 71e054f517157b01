//! The key that the encrypted file's keys are wrapped with. One file per place that it comes from; to add one: a file here, a
//! variant of [`Header`] and of `ops_contract::EncryptedFileKey`.

mod file;
mod keyring;
mod kms;

use std::fmt;
use std::path::Path;

use ops_contract::EncryptedFileKey;
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::StoreError;
use super::aws::Kms;
use super::encrypted_file::EncryptedFile;

/// Length of a key, bytes.
const LENGTH: usize = 32;
/// What the encrypted file is called in the state folder.
const FILE: &str = "secrets.enc";
/// What the key is called there.
const KEY_FILE: &str = "secrets.key";

/// 32 bytes that nobody sees. Zeroed when dropped.
#[derive(Clone)]
pub(super) struct Key(Zeroizing<[u8; LENGTH]>);

/// The master key, and how the encrypted file names it.
#[derive(Clone, Debug)]
pub(crate) struct MasterKey {
    key: Key,
    header: Header,
}

/// What the encrypted file says of its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Header {
    /// It lies with the server: in a file, or in a keyring.
    Local {
        /// Tells one key from the other, and nothing of it.
        id: String,
    },
    /// It lies here, encrypted by AWS.
    AwsKms {
        /// The key of KMS that it is encrypted with.
        id: String,
        /// The master key as KMS encrypted it, base64.
        wrapped: String,
    },
}

/// Opens the encrypted file in the state folder with the key that `spec` names. `may_make`: whether a missing key file is made.
pub(crate) async fn open(
    spec: &EncryptedFileKey,
    folder: &Path,
    may_make: bool,
    kms: Option<&Kms>,
) -> Result<EncryptedFile, StoreError> {
    let path = folder.join(FILE);
    let existed = path.exists();
    let opened = EncryptedFile::open(&path, MasterKey::find(spec, folder, may_make, kms).await?).await;
    match (opened, spec) {
        // Two servers that begin at once each ask KMS for a key; the one that comes second takes the first one's.
        (Err(StoreError::Unsound(_)), EncryptedFileKey::AwsKms { .. }) if !existed => {
            EncryptedFile::open(&path, MasterKey::find(spec, folder, may_make, kms).await?).await
        }
        (opened, _) => opened,
    }
}

impl MasterKey {
    /// Finds the key that `spec` names, for the encrypted file in the state folder.
    pub(crate) async fn find(
        spec: &EncryptedFileKey,
        folder: &Path,
        may_make: bool,
        kms: Option<&Kms>,
    ) -> Result<Self, StoreError> {
        let encrypted = folder.join(FILE);
        match spec {
            EncryptedFileKey::File { path } => {
                let path = path.as_ref().map_or_else(|| folder.join(KEY_FILE), Into::into);
                // A new key would not open what is there.
                file::find(&path, may_make && !encrypted.exists())
            }
            EncryptedFileKey::Keyring => keyring::find(),
            EncryptedFileKey::AwsKms { id } => {
                let kms = kms.ok_or_else(|| {
                    StoreError::Unreachable(format!("there is no connection to AWS KMS for the key {id}"))
                })?;
                kms::find(kms, id, &encrypted).await
            }
        }
    }

    /// A key that the server itself has.
    fn local(key: Key) -> Self {
        let digest = Sha256::new_with_prefix("insightdesk master key id\0").chain_update(*key.0).finalize();
        let id = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { key, header: Header::Local { id } }
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }
}

impl Key {
    pub(super) fn random() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    pub(super) fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local { id } => write!(f, "key {id}"),
            Self::AwsKms { id, .. } => write!(f, "AWS KMS key {id}"),
        }
    }
}
