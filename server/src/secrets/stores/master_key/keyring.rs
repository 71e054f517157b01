//! A key in the kernel's keyring of the server's user. It is put there by whoever starts the machine, since the kernel forgets it
//! when the machine goes down; that is what makes it worth more than a file. For the same reason the server never makes one.

use super::MasterKey;
use crate::secrets::stores::StoreError;

/// What the key is called there.
#[cfg(target_os = "linux")]
const NAME: &str = "insightdesk:secrets";

/// Reads the key.
#[cfg(target_os = "linux")]
pub(super) fn find() -> Result<MasterKey, StoreError> {
    find_named(NAME)
}

#[cfg(target_os = "linux")]
fn find_named(name: &str) -> Result<MasterKey, StoreError> {
    use linux_keyutils::{KeyError, KeyRing, KeyRingIdentifier};
    use secrecy::zeroize::Zeroizing;

    let found = KeyRing::from_special_id(KeyRingIdentifier::User, false).and_then(|it| it.search(name));
    let found = found.and_then(|it| it.read_to_vec()).map(Zeroizing::new);
    let bytes = found.map_err(|error| match error {
        KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked => StoreError::Missing(format!(
            "the kernel's keyring has no key {name} for the server's user: put 32 bytes there with \
             `keyctl padd user {name} @u`"
        )),
        KeyError::AccessDenied => StoreError::Refused(format!(
            "the key {name} of the kernel's keyring may not be read: run `keyctl setperm` on it with 0x3f0b0000, or start \
             the server in a session that has the user's keyring"
        )),
        error => StoreError::Unreachable(format!("could not ask the kernel's keyring for {name}: {error}")),
    })?;
    super::Key::from_bytes(&bytes).map(MasterKey::local).ok_or_else(|| {
        StoreError::Unsound(format!(
            "the key {name} of the kernel's keyring has {} bytes, not 32",
            bytes.len()
        ))
    })
}

/// There is no such keyring here.
#[cfg(not(target_os = "linux"))]
pub(super) fn find() -> Result<MasterKey, StoreError> {
    Err(StoreError::Unreachable(
        "the keyring is that of the Linux kernel, which this machine does not have: use a key file"
            .to_owned(),
    ))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use linux_keyutils::{KeyRing, KeyRingIdentifier};

    use super::find_named;
    use crate::secrets::stores::StoreError;

    #[test]
    fn a_key_that_lies_in_the_keyring_is_found_and_what_is_no_key_is_told() {
        let name = format!("insightdesk:test:{}", uuid::Uuid::new_v4());
        let bytes: [u8; 32] = rand::random();
        let ring = KeyRing::from_special_id(KeyRingIdentifier::User, true);
        let Ok(key) = ring.and_then(|it| it.add_key(&name, &bytes)) else {
            // Containers often forbid keyrings: then that is said.
            let error = find_named(&name).unwrap_err();
            assert!(error.to_string().contains(&name), "{error}");
            return;
        };
        let found = find_named(&name);
        key.update(b"short").unwrap();
        let short = find_named(&name).unwrap_err();
        key.invalidate().unwrap();
        let gone = find_named(&name).unwrap_err();
        assert_eq!(found.unwrap().key().bytes(), &bytes);
        assert!(matches!(short, StoreError::Unsound(_)), "{short}");
        assert!(matches!(gone, StoreError::Missing(_)), "{gone}");
    }
}
