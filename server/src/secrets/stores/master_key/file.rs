//! A key in a file: 32 bytes as base64, for the owner's eyes only.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;

use super::{Key, MasterKey};
use crate::secrets::stores::StoreError;
use crate::secrets::stores::encrypted_file::sync_folder;

/// Longest file of a key, bytes.
const LONGEST: u64 = 256;

/// Reads the key; makes one first when there is none and `may_make` says so.
pub(super) fn find(path: &Path, may_make: bool) -> Result<MasterKey, StoreError> {
    match read(path) {
        Err(StoreError::Missing(_)) if may_make => {
            make(path).map_err(|error| {
                StoreError::Unreachable(format!("could not make the key file {}: {error}", path.display()))
            })?;
            read(path)
        }
        found => found,
    }
}

fn read(path: &Path) -> Result<MasterKey, StoreError> {
    let place = path.display();
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => StoreError::Missing(format!(
            "the key file {place} is missing: put back the key that secrets.enc was written with, or, when there is \
             none yet, make one with `head -c 32 /dev/urandom | base64 > {place}` and chmod 600"
        )),
        _ => StoreError::Refused(format!("could not open the key file {place}: {error}")),
    })?;
    let unreadable = |error| StoreError::Unreachable(format!("could not read the key file {place}: {error}"));
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(StoreError::Refused(format!(
            "the key file {place} can be read by others: run chmod 600 on it"
        )));
    }
    let mut text = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    file.take(LONGEST + 1).read_to_end(&mut text).map_err(unreadable)?;
    parse(&text).map(MasterKey::local).ok_or_else(|| {
        StoreError::Unsound(format!(
            "the key file {place} does not hold 32 bytes as base64: put the key there"
        ))
    })
}

fn parse(text: &[u8]) -> Option<Key> {
    let bytes = Zeroizing::new(STANDARD.decode(text.trim_ascii()).ok()?);
    Key::from_bytes(&bytes)
}

/// Two servers may do this at once: the second finds the first one's key. Whoever reads finds it whole.
fn make(path: &Path) -> std::io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}", uuid::Uuid::new_v4()));
    let text = Zeroizing::new(format!("{}\n", STANDARD.encode(Key::random().bytes())));
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&part)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| std::fs::hard_link(&part, path));
    std::fs::remove_file(&part)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(path),
    }
}
