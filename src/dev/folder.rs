//! The folder of a data store that runs as another user.
//!
//! The state folder may stand where that user cannot go (a home with mode 0700). The data then stand in a folder of
//! their own under `/var/tmp`, with a link to it where they are looked for.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::user::User;

/// Makes the folder for `user`, and says where it really is.
pub(crate) fn prepare(wanted: &Path, user: Option<User>) -> anyhow::Result<PathBuf> {
    let parent = wanted.parent().context("the data folder has no parent")?;
    fs::create_dir_all(parent).with_context(|| format!("could not create {}", parent.display()))?;
    let parent = parent.canonicalize().with_context(|| format!("could not find {}", parent.display()))?;
    let wanted = parent.join(wanted.file_name().context("the data folder has no name")?);

    let Some(user) = user else {
        make(&wanted)?;
        return Ok(wanted);
    };
    let real = if reachable(&parent, user) { wanted } else { elsewhere(&wanted, user)? };
    make(&real)?;
    chown(&real, Some(user.uid), Some(user.gid))
        .with_context(|| format!("could not give {} to `postgres`", real.display()))?;
    Ok(real)
}

/// A folder under `/var/tmp`, named after the path that it stands in for, with a link from there.
fn elsewhere(wanted: &Path, user: User) -> anyhow::Result<PathBuf> {
    let real =
        PathBuf::from(format!("/var/tmp/insightdesk-{:016x}", hash(wanted.as_os_str().as_encoded_bytes())));
    if let Ok(found) = fs::symlink_metadata(&real) {
        ensure!(
            found.is_dir() && (found.uid() == user.uid || found.uid() == 0),
            "{} is not ours: remove it",
            real.display()
        );
    }
    if fs::read_link(wanted).is_ok_and(|it| it == real) {
        return Ok(real);
    }
    // Without its link the folder belonged to a state folder that was deleted.
    if real.exists() {
        fs::remove_dir_all(&real).with_context(|| format!("could not clear {}", real.display()))?;
    }
    // An empty folder left by an earlier attempt gives way; one with data stays and is an error.
    if wanted.is_dir() && !wanted.is_symlink() {
        fs::remove_dir(wanted).with_context(|| {
            format!("{} cannot be reached by the user `postgres`: move it away", wanted.display())
        })?;
    } else if wanted.is_symlink() {
        fs::remove_file(wanted).with_context(|| format!("could not replace {}", wanted.display()))?;
    }
    make(&real)?;
    symlink(&real, wanted).with_context(|| format!("could not link {}", wanted.display()))?;
    super::say(&format!(
        "{} cannot be reached by the user `postgres`: the data are in {}",
        wanted.display(),
        real.display()
    ));
    Ok(real)
}

fn make(folder: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .and_then(|()| fs::set_permissions(folder, Permissions::from_mode(0o700)))
        .with_context(|| format!("could not create {}", folder.display()))
}

/// Whether `user` may walk down to `folder`.
fn reachable(folder: &Path, user: User) -> bool {
    folder.ancestors().all(|step| {
        step.metadata().is_ok_and(|it| {
            let mode = it.mode();
            let bit = if it.uid() == user.uid {
                0o100
            } else if it.gid() == user.gid {
                0o010
            } else {
                0o001
            };
            mode & bit != 0
        })
    })
}

/// FNV-1a: the same over versions of Rust, which the standard hasher does not promise.
fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_behind_a_closed_one_cannot_be_reached_by_others() {
        let closed = tempfile::tempdir().unwrap();
        fs::set_permissions(closed.path(), Permissions::from_mode(0o700)).unwrap();
        let inside = closed.path().join("inside");
        fs::create_dir(&inside).unwrap();
        let stranger = User { uid: 4_000_000, gid: 4_000_000 };
        assert!(!reachable(&inside, stranger));
        fs::set_permissions(closed.path(), Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&inside, Permissions::from_mode(0o755)).unwrap();
        assert!(reachable(&inside, stranger));
    }

    #[test]
    fn a_folder_is_made_for_its_owner_only() {
        let parent = tempfile::tempdir().unwrap();
        let made = prepare(&parent.path().join("data/postgres"), None).unwrap();
        assert_eq!(made.metadata().unwrap().mode() & 0o777, 0o700);
    }
}
