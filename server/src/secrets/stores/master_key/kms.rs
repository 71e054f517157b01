//! A key that only AWS KMS can decrypt. It lies, encrypted, in the encrypted file itself.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Header, Key, MasterKey};
use crate::secrets::stores::StoreError;
use crate::secrets::stores::aws::Kms;
use crate::secrets::stores::encrypted_file::header;

/// Has the file's key decrypted, or a new one made when there is no file.
pub(super) async fn find(kms: &Kms, id: &str, encrypted: &Path) -> Result<MasterKey, StoreError> {
    match header(encrypted)? {
        Some(Header::AwsKms { id: named, wrapped }) if named == id => {
            let bytes = STANDARD
                .decode(&wrapped)
                .map_err(|_| StoreError::Unsound(format!("the key in {} is damaged", encrypted.display())))?;
            let plain = kms.decrypt(id, bytes).await?;
            let key = Key::from_bytes(&plain).ok_or_else(|| unsound(id, plain.len()))?;
            Ok(MasterKey { key, header: Header::AwsKms { id: named, wrapped } })
        }
        // Another key's file: what opens it says which. This one is for wrapping it anew.
        Some(_) | None => make(kms, id).await,
    }
}

async fn make(kms: &Kms, id: &str) -> Result<MasterKey, StoreError> {
    let (plain, wrapped) = kms.generate(id).await?;
    let key = Key::from_bytes(&plain).ok_or_else(|| unsound(id, plain.len()))?;
    let header = Header::AwsKms { id: id.to_owned(), wrapped: STANDARD.encode(wrapped) };
    Ok(MasterKey { key, header })
}

fn unsound(id: &str, length: usize) -> StoreError {
    StoreError::Unsound(format!("AWS KMS key {id} gave {length} bytes, not 32"))
}
