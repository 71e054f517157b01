use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ops_contract::{EncryptedFileKey, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;

use super::{EncryptedFile, LONGEST_FILE, LONGEST_VALUE};
use crate::secrets::stores::{StoreError, Value, master_key};

const CANARY: &str = "canary-7f3a91";
const NOW: Timestamp = Timestamp(1_800_000_000_000_000);
const LATER: Timestamp = Timestamp(1_800_000_001_000_000);

async fn open(folder: &Path) -> Result<EncryptedFile, StoreError> {
    master_key::open(&EncryptedFileKey::default(), folder, true, None).await
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn shown(value: &Value) -> &str {
    value.value.expose_secret()
}

/// What somebody does to the file.
type Edit = fn(&mut Json);

/// What is in the file, changed.
fn edit(folder: &Path, change: impl FnOnce(&mut Json)) {
    let path = folder.join("secrets.enc");
    let mut json: Json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut json);
    std::fs::write(&path, serde_json::to_vec(&json).unwrap()).unwrap();
}

#[tokio::test]
async fn what_was_written_is_read_by_this_and_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = open(folder.path()).await.unwrap();
    assert!(matches!(file.read("jwt"), Err(StoreError::Missing(_))));
    let facts = file.write("jwt", secret("first"), NOW).await.unwrap();
    assert_eq!((facts.version.as_deref(), facts.changed_at), (Some("1"), Some(NOW)));
    assert!(file.read_previous("jwt").unwrap().is_none());
    file.write("jwt", secret("second"), LATER).await.unwrap();

    for file in [&file, &open(folder.path()).await.unwrap()] {
        assert_eq!(shown(&file.read("jwt").unwrap()), "second");
        let previous = file.read_previous("jwt").unwrap().unwrap();
        assert_eq!((shown(&previous), previous.facts.changed_at), ("first", Some(NOW)));
        assert_eq!(file.facts("jwt").unwrap().version.as_deref(), Some("2"));
        assert_eq!(file.names().unwrap(), ["jwt"]);
    }
    for name in ["secrets.enc", "secrets.key", "secrets.enc.lock"] {
        let mode = folder.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "others may do something with {name}");
    }
}

#[tokio::test]
async fn a_file_sees_what_another_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open(folder.path()).await.unwrap(), open(folder.path()).await.unwrap());
    one.write("a", secret("1"), NOW).await.unwrap();
    assert_eq!(shown(&other.read("a").unwrap()), "1");
    other.write("a", secret("2"), NOW).await.unwrap();
    assert_eq!(shown(&one.read("a").unwrap()), "2");
    assert_eq!(one.facts("a").unwrap().version.as_deref(), Some("2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_who_write_at_once_nobody_is_lost_and_what_is_made_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..16 {
        let path = folder.path().to_owned();
        tasks.spawn(async move {
            let file = open(&path).await.unwrap();
            file.write(&format!("own-{index}"), secret("x"), NOW).await.unwrap();
            let made = file.generate("shared", NOW).await.unwrap();
            shown(&made).to_owned()
        });
    }
    let made = tasks.join_all().await;
    assert!(made.iter().all(|it| it == &made[0]), "they were given different values");
    assert_eq!(made[0].len(), 43, "32 bytes are 43 characters of base64url");
    let file = open(folder.path()).await.unwrap();
    assert_eq!(file.names().unwrap().len(), 17);
    assert_eq!(file.facts("shared").unwrap().version.as_deref(), Some("1"));
}

#[tokio::test]
async fn what_somebody_edited_is_refused_and_stays_as_it_is() {
    let wrong: [(&str, Edit); 8] = [
        ("two records changed places", |it| {
            let (a, b) = (it["secrets"]["a"].take(), it["secrets"]["b"].take());
            it["secrets"]["a"] = b;
            it["secrets"]["b"] = a;
        }),
        ("the value before was put back", |it| {
            it["secrets"]["a"]["current"] = it["secrets"]["a"]["previous"].clone();
        }),
        ("a record was taken out", |it| {
            it["secrets"].as_object_mut().unwrap().remove("b");
        }),
        ("a record was made younger", |it| it["secrets"]["a"]["current"]["changed_at"] = 1.into()),
        ("it was told to be newer", |it| it["generation"] = 1_000.into()),
        ("a seal was taken off", |it| it["seal"] = "".into()),
        ("a value was changed", |it| it["secrets"]["a"]["current"]["value"] = "AAAA".into()),
        ("something was added", |it| it["more"] = 1.into()),
    ];
    for (what, change) in wrong {
        let folder = tempfile::tempdir().unwrap();
        let file = open(folder.path()).await.unwrap();
        file.write("a", secret("old"), NOW).await.unwrap();
        file.write("a", secret("new"), NOW).await.unwrap();
        file.write("b", secret("other"), NOW).await.unwrap();
        edit(folder.path(), change);
        let before = std::fs::read(folder.path().join("secrets.enc")).unwrap();

        assert!(matches!(file.read("a"), Err(StoreError::Unsound(_))), "read although {what}");
        let written = file.write("c", secret("x"), NOW).await;
        assert!(matches!(written, Err(StoreError::Unsound(_))), "written although {what}");
        assert!(matches!(open(folder.path()).await, Err(StoreError::Unsound(_))), "opened although {what}");
        assert_eq!(std::fs::read(folder.path().join("secrets.enc")).unwrap(), before, "{what}");
    }
}

#[test]
fn a_ciphertext_is_good_for_one_name_and_one_version_even_under_a_valid_seal() {
    use super::seal::{Broken, open, record};
    let key = master_key::Key::random();
    let made = record(&key, "a", 1, &secret("x"), NOW);
    assert_eq!(open(&key, "a", &made).unwrap().expose_secret(), "x");
    assert_eq!(open(&key, "b", &made).unwrap_err(), Broken);
    let mut newer = made.clone();
    newer.version = 2;
    assert_eq!(open(&key, "a", &newer).unwrap_err(), Broken);
    // The value of one under the key of another.
    let mut mixed = record(&key, "a", 1, &secret("y"), NOW);
    mixed.value = made.value.clone();
    assert_eq!(open(&key, "a", &mixed).unwrap_err(), Broken);
    assert_eq!(open(&master_key::Key::random(), "a", &made).unwrap_err(), Broken);
}

#[tokio::test]
async fn no_bytes_make_it_panic_and_none_are_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = open(folder.path()).await.unwrap();
    file.write("a", secret("x"), NOW).await.unwrap();
    let path = folder.path().join("secrets.enc");
    let sound = std::fs::read(&path).unwrap();
    let rubbish: Vec<Vec<u8>> = (0..200)
        .map(|_| (0..rand::random::<u16>() % 512).map(|_| rand::random()).collect())
        .chain((0..sound.len()).map(|end| sound[..end].to_vec()))
        .chain((0..sound.len()).map(|at| {
            let mut bytes = sound.clone();
            bytes[at] = bytes[at].wrapping_add(1);
            bytes
        }))
        .chain([b"[".repeat(100_000), vec![b' '; LONGEST_FILE as usize + 1]])
        .collect();
    for bytes in rubbish {
        std::fs::write(&path, &bytes).unwrap();
        // A changed byte of white space, or of a name that differs only by how it is written, changes nothing that counts.
        match open(folder.path()).await {
            Ok(opened) => assert_eq!(shown(&opened.read("a").unwrap()), "x"),
            Err(StoreError::Unsound(_)) => {}
            Err(other) => panic!("{other}"),
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "something was written over");
    }
}

#[tokio::test]
async fn a_copy_of_before_is_refused_while_the_server_runs_and_so_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets.enc");
    let file = open(folder.path()).await.unwrap();
    file.write("a", secret("old"), NOW).await.unwrap();
    let copy = std::fs::read(&path).unwrap();
    file.write("a", secret("new"), NOW).await.unwrap();
    std::fs::write(&path, copy).unwrap();
    let error = file.read("a").unwrap_err();
    assert!(matches!(&error, StoreError::Unsound(text) if text.contains("older")), "{error}");
    std::fs::remove_file(&path).unwrap();
    for error in [file.read("a").unwrap_err(), file.write("a", secret("x"), NOW).await.unwrap_err()] {
        assert!(matches!(&error, StoreError::Unsound(text) if text.contains("gone")), "{error}");
    }
    assert!(!path.exists());
}

#[tokio::test]
async fn what_is_too_long_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = open(folder.path()).await.unwrap();
    file.write("a", secret(&"x".repeat(LONGEST_VALUE)), NOW).await.unwrap();
    let longer = file.write("a", secret(&"x".repeat(LONGEST_VALUE + 1)), NOW).await;
    assert!(matches!(longer, Err(StoreError::Refused(_))));
    assert!(matches!(file.write("", secret("x"), NOW).await, Err(StoreError::Refused(_))));
    let name = "n".repeat(257);
    assert!(matches!(file.generate(&name, NOW).await, Err(StoreError::Refused(_))));
    assert_eq!(file.facts("a").unwrap().version.as_deref(), Some("1"));
}

#[tokio::test]
async fn another_key_opens_it_only_after_it_was_wrapped_with_that() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = open(folder.path()).await.unwrap();
    file.write("a", secret("old"), NOW).await.unwrap();
    file.write("a", secret("new"), NOW).await.unwrap();
    let path = elsewhere.path().join("next.key");
    let spec = EncryptedFileKey::File { path: Some(path.display().to_string()) };
    let next = || master_key::MasterKey::find(&spec, elsewhere.path(), true, None);
    let encrypted = folder.path().join("secrets.enc");
    let early = EncryptedFile::open(&encrypted, next().await.unwrap()).await.unwrap_err();
    assert!(
        matches!(&early, StoreError::Unsound(text) if text.contains("encrypted with the key")),
        "{early}"
    );

    let values = |json: &Json| json["secrets"]["a"]["current"]["value"].clone();
    let read = || serde_json::from_slice::<Json>(&std::fs::read(&encrypted).unwrap()).unwrap();
    let before = values(&read());
    file.rewrap(next().await.unwrap()).await.unwrap();
    assert_eq!(values(&read()), before, "only keys are wrapped anew");
    for file in [&file, &EncryptedFile::open(&encrypted, next().await.unwrap()).await.unwrap()] {
        assert_eq!(shown(&file.read("a").unwrap()), "new");
        assert_eq!(shown(&file.read_previous("a").unwrap().unwrap()), "old");
    }
    file.write("a", secret("newest"), NOW).await.unwrap();
    assert!(
        matches!(open(folder.path()).await, Err(StoreError::Unsound(_))),
        "the old key is of no use any more"
    );
}

#[tokio::test]
async fn a_key_file_is_refused_when_it_is_missing_readable_by_others_or_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets.key");
    let strict = async || master_key::open(&EncryptedFileKey::default(), folder.path(), false, None).await;
    assert!(matches!(strict().await, Err(StoreError::Missing(_))));
    assert!(!path.exists() && !folder.path().join("secrets.enc").exists());

    open(folder.path()).await.unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    let error = open(folder.path()).await.unwrap_err();
    assert!(matches!(&error, StoreError::Refused(text) if text.contains("chmod 600")), "{error}");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    for rubbish in [&b""[..], b"\xff\xfe", b"AAAA", &[b'A'; 1_000]] {
        std::fs::write(&path, rubbish).unwrap();
        assert!(matches!(open(folder.path()).await, Err(StoreError::Unsound(_))));
    }
    std::fs::remove_file(&path).unwrap();
    assert!(
        matches!(open(folder.path()).await, Err(StoreError::Missing(_))),
        "a new key would not open the old file"
    );
    assert!(!path.exists());
}

#[tokio::test]
async fn what_a_killed_writer_left_behind_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let file = open(folder.path()).await.unwrap();
    std::fs::write(folder.path().join("secrets.enc.part"), b"{\"half\":").unwrap();
    file.write("a", secret("x"), NOW).await.unwrap();
    assert_eq!(shown(&open(folder.path()).await.unwrap().read("a").unwrap()), "x");
}

#[tokio::test]
async fn a_value_is_neither_in_the_file_nor_in_what_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = open(folder.path()).await.unwrap();
    file.write("a", secret(CANARY), NOW).await.unwrap();
    let value = file.read("a").unwrap();
    file.write("a", secret("x"), NOW).await.unwrap();
    let key = std::fs::read_to_string(folder.path().join("secrets.key")).unwrap();
    let on_disk = String::from_utf8(std::fs::read(folder.path().join("secrets.enc")).unwrap()).unwrap();
    let errors = [file.write("", secret(CANARY), NOW).await.unwrap_err(), {
        edit(folder.path(), |it| it["seal"] = "".into());
        file.read("a").unwrap_err()
    }];
    let texts = [on_disk, format!("{file:?} {value:?} {errors:?} {} {}", errors[0], errors[1])];
    for text in texts {
        assert!(!text.contains(CANARY), "{text}");
        assert!(!text.contains(key.trim()), "{text}");
    }
}
