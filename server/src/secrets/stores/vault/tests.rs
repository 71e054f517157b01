//! Against a real OpenBao.

use std::path::Path;
use std::time::Duration;

use ops_contract::{VaultAuth, VaultSpec};
use ops_tests::openbao::OpenBao;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{AuditDevice, Place, Vault};
use crate::secrets::stores::StoreError;

const READER: &str = r#"path "secret/data/api/*" { capabilities = ["read"] }"#;
const JWT: Place<'_> = Place { mount: "secret", path: "api/jwt", field: "key" };
const CANARY: &str = "canary-5b20cc";

async fn start() -> OpenBao {
    OpenBao::start().await.unwrap()
}

fn connect(bao: &OpenBao, auth: VaultAuth) -> Vault {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Vault::new(&VaultSpec { address: bao.url.clone(), namespace: None, auth }).unwrap()
}

fn by_token(bao: &OpenBao, token: &str) -> Vault {
    connect(bao, VaultAuth::Token { file: write(bao.folder.path(), "token", token) })
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, format!("{text}\n")).unwrap();
    file.display().to_string()
}

async fn by_role(bao: &OpenBao, what: serde_json::Value) -> Vault {
    bao.policy("reader", READER).await.unwrap();
    let (role_id, secret_id) = bao.make_role("server", what).await.unwrap();
    let secret_id_file = write(bao.folder.path(), "secret-id", &secret_id);
    connect(bao, VaultAuth::AppRole { role_id, secret_id_file, mount: "approle".to_owned() })
}

async fn shown(vault: &Vault, place: Place<'_>) -> String {
    vault.read(place, None).await.unwrap().value.expose_secret().to_owned()
}

/// How often the server logged in, as OpenBao's own audit log tells.
fn logins(log: &Path) -> usize {
    let log = std::fs::read_to_string(log).unwrap();
    log.lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|it| it["type"] == "request" && it["request"]["path"] == "auth/approle/login")
        .count()
}

#[tokio::test]
async fn values_are_written_and_read_with_their_versions() {
    let bao = start().await;
    let vault = by_token(&bao, &bao.token);
    assert!(matches!(vault.read(JWT, None).await, Err(StoreError::Missing(_))));
    let first = vault.write(JWT, &SecretString::from("first \"quoted\" \u{1}é")).await.unwrap();
    assert_eq!(first.version.as_deref(), Some("1"));
    let second = vault.write(Place { field: "other", ..JWT }, &SecretString::from("second")).await.unwrap();
    assert_eq!(second.version.as_deref(), Some("2"));

    let read = vault.read(JWT, None).await.unwrap();
    assert_eq!(read.value.expose_secret(), "first \"quoted\" \u{1}é", "another field's write keeps it");
    assert_eq!(read.facts, second);
    let missing = vault.read(Place { field: "none", ..JWT }, None).await.unwrap_err();
    assert!(matches!(&missing, StoreError::Missing(text) if text.contains("no field none")), "{missing}");
    assert!(matches!(vault.read(JWT, Some(9)).await, Err(StoreError::Missing(_))));
    assert_eq!(vault.read(JWT, Some(1)).await.unwrap().facts, first);

    let metadata = vault.metadata("secret", "api/jwt").await.unwrap();
    assert_eq!(metadata.current, second);
    assert_eq!(metadata.versions.keys().copied().collect::<Vec<_>>(), [1, 2]);
    assert!(matches!(vault.metadata("secret", "none").await, Err(StoreError::Missing(_))));
    assert!(matches!(
        vault.read(Place { mount: "none", ..JWT }, None).await,
        Err(StoreError::Missing(_) | StoreError::Refused(_))
    ));
    for path in ["", "../sys/mounts", "a//b", "a/./b"] {
        assert!(
            matches!(vault.read(Place { path, ..JWT }, None).await, Err(StoreError::Unsound(_))),
            "{path}"
        );
    }
    bao.put("numbers", json!({ "n": 7, "o": { "a": "b" } })).await.unwrap();
    assert_eq!(shown(&vault, Place { path: "numbers", field: "n", ..JWT }).await, "7");
    assert_eq!(shown(&vault, Place { path: "numbers", field: "o", ..JWT }).await, r#"{"a":"b"}"#);
}

#[tokio::test]
async fn a_deleted_value_is_missing_and_can_be_written_again() {
    let bao = start().await;
    let vault = by_token(&bao, &bao.token);
    vault.write(JWT, &SecretString::from("old")).await.unwrap();
    bao.ask(Method::DELETE, "secret/data/api/jwt", None).await.unwrap();
    assert!(matches!(vault.read(JWT, None).await, Err(StoreError::Missing(_))));
    assert_eq!(vault.write(JWT, &SecretString::from("new")).await.unwrap().version.as_deref(), Some("2"));
    assert_eq!(shown(&vault, JWT).await, "new");
}

#[tokio::test]
async fn who_write_different_fields_at_once_lose_nothing() {
    let bao = start().await;
    let vault = by_token(&bao, &bao.token);
    let value = SecretString::from("x");
    fn place(field: &str) -> Place<'_> {
        Place { field, ..JWT }
    }
    // The path is new, has values, and was deleted: each time others write in between.
    for round in 0..6 {
        let fields = ["a", "b", "c"].map(|it| format!("{it}{round}"));
        let write = |field| vault.write(place(field), &value);
        let (a, b, c) = tokio::join!(write(&fields[0]), write(&fields[1]), write(&fields[2]));
        for written in [a, b, c] {
            written.unwrap();
        }
        for field in &fields {
            assert_eq!(shown(&vault, place(field)).await, "x");
        }
        if round % 2 == 1 {
            bao.ask(Method::DELETE, "secret/data/api/jwt", None).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_the_policy_does_not_allow_is_refused() {
    let bao = start().await;
    bao.put("api/jwt", json!({ "key": "x" })).await.unwrap();
    bao.put("db/main", json!({ "key": "y" })).await.unwrap();
    let vault = by_role(&bao, json!({ "token_policies": ["reader"] })).await;
    assert_eq!(shown(&vault, JWT).await, "x");
    let denied = vault.read(Place { path: "db/main", ..JWT }, None).await.unwrap_err();
    assert!(
        matches!(&denied, StoreError::Refused(text) if text.contains("vault secret/db/main#key")),
        "{denied}"
    );
    assert!(matches!(vault.write(JWT, &SecretString::from("z")).await, Err(StoreError::Refused(_))));
    assert!(matches!(vault.sys_audit().await, Err(StoreError::Refused(_))));
}

#[tokio::test]
async fn a_token_file_is_read_again_when_it_changes() {
    let bao = start().await;
    bao.put("api/jwt", json!({ "key": "x" })).await.unwrap();
    let vault = by_token(&bao, "s.wrong");
    let refused = vault.read(JWT, None).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Refused(text) if text.contains("token")), "{refused}");
    write(bao.folder.path(), "token", &bao.token);
    assert_eq!(shown(&vault, JWT).await, "x");
    let other = bao.make_token(json!({ "policies": ["default"] })).await.unwrap();
    write(bao.folder.path(), "token", &other);
    assert!(matches!(vault.read(JWT, None).await, Err(StoreError::Refused(_))));
    for text in ["", "line\nfeed"] {
        write(bao.folder.path(), "token", text);
        assert!(matches!(vault.read(JWT, None).await, Err(StoreError::Unsound(_))), "{text:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_revoked_is_had_anew_and_a_bad_secret_id_is_told() {
    let bao = start().await;
    bao.put("api/jwt", json!({ "key": "x" })).await.unwrap();
    let log = bao.folder.path().join("audit.log");
    let options = json!({ "type": "file", "options": { "file_path": log } });
    bao.ask(Method::PUT, "sys/audit/file", Some(options)).await.unwrap();
    let vault = by_role(&bao, json!({ "token_policies": ["reader"] })).await;
    for _ in 0..3 {
        assert_eq!(shown(&vault, JWT).await, "x");
    }
    assert_eq!(logins(&log), 1, "one token is for all");
    bao.ask(Method::POST, "sys/leases/revoke-prefix/auth/approle/login", None).await.unwrap();
    assert_eq!(shown(&vault, JWT).await, "x");
    assert_eq!(logins(&log), 2);

    bao.ask(Method::POST, "sys/leases/revoke-prefix/auth/approle/login", None).await.unwrap();
    write(bao.folder.path(), "secret-id", "wrong");
    let refused = vault.read(JWT, None).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Refused(text) if text.contains("auth/approle")), "{refused}");
}

#[tokio::test]
async fn a_short_token_is_renewed_as_long_as_it_may_be_and_then_had_anew() {
    let bao = start().await;
    bao.put("api/jwt", json!({ "key": "x" })).await.unwrap();
    let log = bao.folder.path().join("audit.log");
    let options = json!({ "type": "file", "options": { "file_path": log } });
    bao.ask(Method::PUT, "sys/audit/file", Some(options)).await.unwrap();
    let what = json!({ "token_policies": ["reader"], "token_ttl": "2s", "token_max_ttl": "5s" });
    let vault = by_role(&bao, what).await;
    let is =
        |line: &serde_json::Value, path: &str| line["type"] == "request" && line["request"]["path"] == path;
    // The control loop's part: it asks when to come again, and comes then.
    let kept = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            let due = vault.keep().await.unwrap().expect("a token that ends is due some time");
            assert!(due <= Duration::from_secs(2));
            assert_eq!(shown(&vault, JWT).await, "x");
            let entries = std::fs::read_to_string(&log).unwrap();
            let entries: Vec<serde_json::Value> = entries.lines().flat_map(serde_json::from_str).collect();
            let count = |path| entries.iter().filter(|it| is(it, path)).count();
            if count("auth/token/renew-self") >= 2 && count("auth/approle/login") >= 2 {
                return entries;
            }
            tokio::time::sleep(due).await;
        }
    });
    let entries = kept.await.expect("it was not renewed twice and had anew in time");
    let denied =
        entries.iter().filter(|it| it["error"].as_str().is_some_and(|it| it.contains("permission denied")));
    assert_eq!(denied.count(), 0, "no request went out with a token that was over");
}

#[tokio::test]
async fn its_audit_devices_are_listed_and_hash_as_they_log() {
    let bao = start().await;
    let log = bao.folder.path().join("audit.log");
    let vault = by_token(&bao, &bao.token);
    assert_eq!(vault.sys_audit().await.unwrap(), []);
    let options = json!({ "type": "file", "options": { "file_path": log } });
    bao.ask(Method::PUT, "sys/audit/main", Some(options)).await.unwrap();
    let expected = AuditDevice { name: "main".to_owned(), kind: "file".to_owned() };
    assert_eq!(vault.sys_audit().await.unwrap(), [expected]);

    let value = SecretString::from(CANARY);
    vault.write(JWT, &value).await.unwrap();
    vault.read(JWT, None).await.unwrap();
    let hash = vault.audit_hash("main", &value).await.unwrap();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(hash.starts_with("hmac-sha256:") && log.contains(&hash), "{hash}");
    assert!(vault.audit_hash("none", &value).await.is_err());
}

#[tokio::test]
async fn no_value_and_no_token_is_printed() {
    let bao = start().await;
    let vault = by_token(&bao, &bao.token);
    let value = SecretString::from(CANARY);
    vault.write(JWT, &value).await.unwrap();
    let read = vault.read(JWT, None).await.unwrap();
    let errors = [
        vault.read(Place { field: "none", ..JWT }, None).await.unwrap_err(),
        vault.write(Place { mount: "none", ..JWT }, &value).await.unwrap_err(),
        vault.audit_hash("none", &value).await.unwrap_err(),
    ];
    let [a, b, c] = &errors;
    let text = format!("{vault:?} {read:?} {errors:?} {a} {b} {c}");
    assert!(!text.contains(CANARY) && !text.contains(&bao.token), "{text}");
}

#[tokio::test]
async fn a_store_that_is_frozen_or_gone_is_told_within_the_deadline() {
    let mut bao = start().await;
    bao.put("api/jwt", json!({ "key": "x" })).await.unwrap();
    let vault = by_token(&bao, &bao.token);
    assert_eq!(shown(&vault, JWT).await, "x");
    bao.freeze().unwrap();
    let frozen = tokio::time::timeout(2 * super::DEADLINE, vault.read(JWT, None)).await;
    let frozen = frozen.expect("it waited longer than twice the deadline").unwrap_err();
    assert!(matches!(&frozen, StoreError::Unreachable(text) if text.contains("within 5 s")), "{frozen}");
    bao.thaw().unwrap();
    assert_eq!(shown(&vault, JWT).await, "x");
    bao.stop();
    let gone = vault.read(JWT, None).await.unwrap_err();
    assert!(matches!(&gone, StoreError::Unreachable(text) if text.contains("127.0.0.1")), "{gone}");
}
