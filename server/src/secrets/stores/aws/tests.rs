//! Against moto, which stands for AWS.

use aws_config::SdkConfig;
use aws_sdk_kms::config::Credentials;
use ops_contract::{AwsSpec, EncryptedFileKey, Timestamp};
use ops_tests::moto::Moto;
use secrecy::{ExposeSecret, SecretString};

use super::{Kms, SecretsManager, loader};
use crate::secrets::stores::{StoreError, master_key};

const CANARY: &str = "canary-d01e44";
const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

/// How tests reach what stands for AWS.
pub(crate) async fn config(url: &str) -> SdkConfig {
    let spec = AwsSpec { region: Some("eu-central-1".to_owned()), endpoint_url: Some(url.to_owned()) };
    loader(&spec)
        .credentials_provider(Credentials::new("testing", "testing", None, None, "test"))
        .load()
        .await
}

async fn start() -> (Moto, SdkConfig) {
    let moto = Moto::start().await.unwrap();
    let config = config(&moto.url).await;
    (moto, config)
}

#[tokio::test]
async fn secrets_manager_gives_values_fields_and_what_is_under_way() {
    let (mut moto, config) = start().await;
    let manager = SecretsManager::new(&config);
    let raw = aws_sdk_secretsmanager::Client::new(&config);
    assert!(matches!(manager.read("db", None).await, Err(StoreError::Missing(_))));
    assert!(matches!(manager.facts("db").await, Err(StoreError::Missing(_))));
    assert!(matches!(manager.write("db", None, &SecretString::from("x")).await, Err(StoreError::Missing(_))));

    let text = r#"{"user":"app","password":"old \" é","port":5432}"#;
    raw.create_secret().name("db").secret_string(text).send().await.unwrap();
    let read = manager.read("db", Some("password")).await.unwrap();
    assert_eq!(read.value.expose_secret(), "old \" é");
    assert_eq!(manager.read("db", Some("port")).await.unwrap().value.expose_secret(), "5432");
    assert_eq!(manager.read("db", None).await.unwrap().value.expose_secret(), text);
    let missing = manager.read("db", Some("none")).await.unwrap_err();
    assert!(matches!(&missing, StoreError::Missing(text) if text.contains("no field none")), "{missing}");
    let facts = manager.facts("db").await.unwrap();
    assert_eq!((facts.version.as_ref(), facts.pending_since), (read.facts.version.as_ref(), None));
    assert!(facts.changed_at.is_some() && read.facts.changed_at.is_some());

    let written = manager.write("db", Some("password"), &SecretString::from("new")).await.unwrap();
    assert_ne!(written.version, facts.version);
    assert_eq!(manager.read("db", Some("password")).await.unwrap().value.expose_secret(), "new");
    assert_eq!(manager.read("db", Some("user")).await.unwrap().value.expose_secret(), "app");

    let pending = raw.put_secret_value().secret_id("db").secret_string("{}").version_stages("AWSPENDING");
    pending.send().await.unwrap();
    let facts = manager.facts("db").await.unwrap();
    assert_eq!(facts.version, written.version, "the new version is not the current one yet");
    assert!(facts.pending_since.is_some());
    assert_eq!(manager.read("db", Some("password")).await.unwrap().value.expose_secret(), "new");

    raw.create_secret().name("text").secret_string("plain").send().await.unwrap();
    let blob = aws_sdk_secretsmanager::primitives::Blob::new(b"bytes");
    raw.create_secret().name("blob").secret_binary(blob).send().await.unwrap();
    let errors =
        [manager.read("text", Some("f")).await.unwrap_err(), manager.read("blob", None).await.unwrap_err()];
    assert!(errors.iter().all(|it| matches!(it, StoreError::Unsound(_))), "{errors:?}");
    manager.write("text", None, &SecretString::from("other")).await.unwrap();
    assert_eq!(manager.read("text", None).await.unwrap().value.expose_secret(), "other");

    moto.stop();
    let gone = manager.read("db", None).await.unwrap_err();
    assert!(matches!(&gone, StoreError::Unreachable(text) if text.contains("AWS secret db")), "{gone}");
}

#[tokio::test]
async fn the_encrypted_file_is_opened_again_with_a_key_that_kms_has() {
    let (mut moto, config) = start().await;
    let raw = aws_sdk_kms::Client::new(&config);
    let make = async || raw.create_key().send().await.unwrap().key_metadata.unwrap().key_id;
    let (id, other) = (make().await, make().await);
    let kms = Kms::new(&config);
    let folder = tempfile::tempdir().unwrap();
    let spec = |id: &str| EncryptedFileKey::AwsKms { id: id.to_owned() };
    let open = async |id: &str| master_key::open(&spec(id), folder.path(), true, Some(&kms)).await;

    let file = open(&id).await.unwrap();
    file.write("a", SecretString::from(CANARY), NOW).await.unwrap();
    let again = open(&id).await.unwrap();
    assert_eq!(again.read("a").unwrap().value.expose_secret(), CANARY);
    assert!(!folder.path().join("secrets.key").exists());
    let on_disk = std::fs::read_to_string(folder.path().join("secrets.enc")).unwrap();
    assert!(!on_disk.contains(CANARY) && on_disk.contains(&id));
    assert!(!format!("{kms:?} {file:?} {again:?}").contains(CANARY));

    let wrong = open(&other).await.unwrap_err();
    assert!(matches!(&wrong, StoreError::Unsound(text) if text.contains(&id)), "{wrong}");
    let local = master_key::open(&EncryptedFileKey::default(), folder.path(), true, None).await.unwrap_err();
    assert!(matches!(local, StoreError::Missing(_)), "{local}");
    let without = master_key::open(&spec(&id), folder.path(), true, None).await.unwrap_err();
    assert!(matches!(without, StoreError::Unreachable(_)), "{without}");

    // Two servers that begin at once, each with nothing.
    let fresh = tempfile::tempdir().unwrap();
    let fresh_spec = spec(&id);
    let begin = || master_key::open(&fresh_spec, fresh.path(), true, Some(&kms));
    let (one, two) = tokio::join!(begin(), begin());
    let (one, two) = (one.unwrap(), two.unwrap());
    one.write("a", SecretString::from("x"), NOW).await.unwrap();
    assert_eq!(two.read("a").unwrap().value.expose_secret(), "x");

    // From one key of KMS to the other.
    let key = master_key::MasterKey::find(&spec(&other), folder.path(), true, Some(&kms)).await.unwrap();
    again.rewrap(key).await.unwrap();
    assert_eq!(open(&other).await.unwrap().read("a").unwrap().value.expose_secret(), CANARY);

    let missing = tempfile::tempdir().unwrap();
    let none = master_key::open(&spec("alias/none"), missing.path(), true, Some(&kms)).await.unwrap_err();
    assert!(matches!(none, StoreError::Missing(_)), "{none}");
    moto.stop();
    let gone = open(&other).await.unwrap_err();
    assert!(matches!(gone, StoreError::Unreachable(_)), "{gone}");
}
