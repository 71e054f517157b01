//! What lies outside the store, in the state folder: the key that signs, the first key that signed, and the mark of how far the
//! log was seen.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use ops_audit::anchor::HighWater;
use ops_audit::key::{LocalKey, PublicKey, Signer};
use ops_contract::Timestamp;

const KEY: &str = "audit.key";
const FIRST: &str = "audit.pub";
const MARK: &str = "audit.mark";
/// Longest file of them.
const LONGEST: u64 = 4_096;

/// The key as found, and the next one if a change of keys was under way.
pub(super) struct Keys {
    pub(super) key: LocalKey,
    next: Option<(LocalKey, PathBuf, PathBuf)>,
}

/// The key that signs, or why none does.
pub(super) struct Chosen {
    pub(super) key: LocalKey,
    pub(super) fault: Option<String>,
}

/// Reads the key; makes one when there is none.
pub(super) fn open(folder: Option<&Path>, file: Option<&Path>, origin: &str) -> anyhow::Result<Keys> {
    let Some(path) = self::file(folder, file) else {
        return Ok(Keys { key: LocalKey::from_seed(origin, &rand::random())?, next: None });
    };
    if !path.exists() {
        ensure!(
            file.is_none(),
            "[audit] key_file names {}, which is missing: put the key there, or remove key_file",
            path.display()
        );
        let key = LocalKey::from_seed(origin, &rand::random())?;
        write_new(&path, key.to_secret_text().as_bytes())?;
    }
    let next = path.with_extension("next");
    let next_key = next.exists().then(|| read_key(&next, origin)).transpose()?;
    Ok(Keys { key: read_key(&path, origin)?, next: next_key.map(|it| (it, next, path)) })
}

/// Where the key lies; `None`: in memory only.
pub(super) fn file(folder: Option<&Path>, file: Option<&Path>) -> Option<PathBuf> {
    file.map(Path::to_owned).or_else(|| folder.map(|it| it.join(KEY)))
}

/// Lays the next key beside the one at `path`, before the log says that it signs.
pub(super) fn write_next(path: Option<&Path>, key: &LocalKey) -> anyhow::Result<()> {
    path.map_or(Ok(()), |it| write(&it.with_extension("next"), key.to_secret_text().as_bytes()))
}

/// The key that the log says signs now.
pub(super) fn choose(keys: Keys, signs: Option<&str>) -> Chosen {
    let Some(signs) = signs else { return Chosen { key: keys.key, fault: None } };
    if keys.key.public().to_string() == signs {
        return Chosen { key: keys.key, fault: None };
    }
    if let Some((key, from, to)) = keys.next
        && key.public().to_string() == signs
    {
        // The change of keys was written to the log, and the server ended before the file was put in place.
        let fault = std::fs::rename(&from, &to).err().map(|error| error.to_string());
        return Chosen { key, fault };
    }
    let fault = format!(
        "the audit log is signed by {}, and this server has another key: put the right audit.key into its state folder",
        signs.rsplit_once('+').map_or(signs, |(id, _)| id)
    );
    tracing::error!("{fault}");
    Chosen { key: keys.key, fault: Some(fault) }
}

fn read_key(path: &Path, origin: &str) -> anyhow::Result<LocalKey> {
    let mode =
        path.metadata().with_context(|| format!("could not look at {}", path.display()))?.permissions();
    if mode.mode() & 0o077 != 0 {
        bail!("{} can be read by others: run chmod 600 on it", path.display());
    }
    let key = LocalKey::from_secret_text(read(path)?.trim())
        .with_context(|| format!("{} holds no audit key", path.display()))?;
    let name = &key.public().id().name;
    ensure!(name == origin, "{} is the key of the audit log {name}, not of {origin}", path.display());
    Ok(key)
}

/// The first key that signed, as this host wrote it down.
pub(super) fn pinned(folder: Option<&Path>) -> anyhow::Result<Option<PublicKey>> {
    let Some(path) = folder.map(|it| it.join(FIRST)).filter(|it| it.exists()) else { return Ok(None) };
    let key = read(&path)?.trim().parse().with_context(|| format!("{} holds no key", path.display()))?;
    Ok(Some(key))
}

pub(super) fn pin(folder: Option<&Path>, key: &PublicKey) -> anyhow::Result<()> {
    folder.map_or(Ok(()), |it| write(&it.join(FIRST), format!("{key}\n").as_bytes()))
}

/// How far this host saw the log.
pub(super) fn mark(folder: Option<&Path>) -> Option<HighWater> {
    let path = folder?.join(MARK);
    serde_json::from_str(&read(&path).ok()?).ok()
}

pub(super) fn write_mark(folder: Option<&Path>, mark: &HighWater) -> anyhow::Result<()> {
    folder.map_or(Ok(()), |it| write(&it.join(MARK), &serde_json::to_vec(mark)?))
}

/// Keeps a mark that the log contradicts: it is evidence.
pub(super) fn put_mark_aside(folder: Option<&Path>, now: Timestamp) {
    let Some(folder) = folder else { return };
    let aside = folder.join(format!("{MARK}.{}", now.0));
    if let Err(error) = std::fs::rename(folder.join(MARK), &aside) {
        tracing::warn!(%error, "could not keep the mark of the audit log");
    }
}

/// Marks that the log has contradicted. They count until somebody has looked into it and moves them away.
pub(super) fn marks_aside(folder: Option<&Path>) -> Vec<HighWater> {
    const MOST: usize = 100;
    let Some(entries) = folder.and_then(|it| std::fs::read_dir(it).ok()) else { return Vec::new() };
    let is_aside = |path: &PathBuf| {
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        let time = name.strip_prefix(MARK).and_then(|it| it.strip_prefix('.'));
        time.is_some_and(|it| it.parse::<i64>().is_ok())
    };
    let paths = entries.flatten().map(|it| it.path()).filter(is_aside).take(MOST);
    paths.filter_map(|it| serde_json::from_str(&read(&it).ok()?).ok()).collect()
}

fn read(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let file = File::open(path).with_context(|| format!("could not read {}", path.display()))?;
    file.take(LONGEST)
        .read_to_string(&mut text)
        .with_context(|| format!("could not read {}", path.display()))?;
    Ok(text)
}

/// Writes for the owner's eyes, whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let part = write_part(path, bytes)?;
    std::fs::rename(&part, path).with_context(|| format!("could not write {}", path.display()))
}

/// Like [`write()`], but leaves what another server on this host has put there meanwhile.
fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let part = write_part(path, bytes)?;
    let linked = std::fs::hard_link(&part, path);
    std::fs::remove_file(&part).with_context(|| format!("could not remove {}", part.display()))?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(error).with_context(|| format!("could not write {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// A file beside `path` that nobody else writes.
fn write_part(path: &Path, bytes: &[u8]) -> anyhow::Result<PathBuf> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:08x}.part", rand::random::<u32>()));
    let part = path.with_file_name(name);
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&part)
        .with_context(|| format!("could not write {}", part.display()))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(part)
}
