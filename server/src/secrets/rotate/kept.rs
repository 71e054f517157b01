use ops_contract::{SecretRotation, Timestamp};
use secrecy::SecretString;

use crate::secrets::Secrets;
use crate::secrets::stores::StoreError;

/// What a renewal keeps in the encrypted file until it is over, under names that no secret can have.
pub(crate) struct Kept<'a> {
    secrets: &'a Secrets,
    next: String,
    before: String,
}

impl<'a> Kept<'a> {
    pub(crate) fn of(secrets: &'a Secrets, rotation: &SecretRotation) -> Self {
        let next = format!("{}#{}", rotation.secret, rotation.id);
        let before = format!("{next}#before");
        Self { secrets, next, before }
    }

    /// The new value: 32 random bytes, base64url. Made once.
    pub(super) async fn make(&self, now: Timestamp) -> Result<SecretString, StoreError> {
        Ok(self.secrets.file().await?.generate(&self.next, now).await?.value)
    }

    /// The new value.
    pub(super) async fn next(&self) -> Result<SecretString, StoreError> {
        Ok(self.secrets.file().await?.read(&self.next)?.value)
    }

    /// Keeps the value before; once.
    pub(super) async fn keep_before(&self, value: &SecretString, now: Timestamp) -> Result<(), StoreError> {
        self.secrets.file().await?.keep(&self.before, value, now).await
    }

    /// The value before.
    pub(super) async fn before(&self) -> Result<SecretString, StoreError> {
        Ok(self.secrets.file().await?.read(&self.before)?.value)
    }

    /// Forgets the value before.
    pub(super) async fn forget_before(&self) -> Result<(), StoreError> {
        self.secrets.file().await?.remove(std::slice::from_ref(&self.before)).await
    }

    /// Forgets all.
    pub(super) async fn forget(&self) -> Result<(), StoreError> {
        self.secrets.file().await?.remove(&[self.next.clone(), self.before.clone()]).await
    }
}
