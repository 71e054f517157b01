//! Against peers that answer anything.

use std::sync::{Arc, Mutex};

use ops_contract::{VaultAuth, VaultSpec};
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{LONGEST_ANSWER, Place, Vault};
use crate::secrets::stores::StoreError;

const PLACE: Place<'_> = Place { mount: "secret", path: "a", field: "key" };
const LOGIN: &str = r#"{"auth":{"client_token":"s.1","lease_duration":60,"renewable":true}}"#;
const FOUND: &str =
    r#"{"data":{"data":{"key":"x"},"metadata":{"version":1,"created_time":"2026-11-01T00:00:00.5Z"}}}"#;

/// Answers each request with the next of `answers`, the last of them for ever, and keeps what it was asked.
struct Fake {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Fake {
    async fn start(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            for index in 0.. {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                let mut request = vec![0; 16 << 10];
                let mut length = 0;
                while !is_whole(&request[..length]) {
                    match stream.read(&mut request[length..]).await {
                        Ok(0) | Err(_) => break,
                        Ok(read) => length += read,
                    }
                }
                kept.lock().unwrap().push(String::from_utf8_lossy(&request[..length]).into_owned());
                let answer = answers.get(index).or(answers.last()).unwrap();
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { url, asked, task }
    }

    fn vault(&self, folder: &TempDir) -> Vault {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let file = folder.path().join("jwt");
        std::fs::write(&file, "account.token").unwrap();
        let auth = VaultAuth::Kubernetes {
            role: "server".to_owned(),
            token_file: file.display().to_string(),
            mount: "kubernetes/eu".to_owned(),
        };
        let namespace = Some("team".to_owned());
        Vault::new(&VaultSpec { address: self.url.clone(), namespace, auth }).unwrap()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|it| it.strip_prefix("content-length: ")?.parse::<usize>().ok());
    body.len() >= length.unwrap_or(0)
}

fn answer(status: u16, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

#[tokio::test]
async fn a_pod_logs_in_with_its_accounts_token() {
    let fake = Fake::start(vec![answer(200, LOGIN), answer(200, FOUND)]).await;
    let vault = fake.vault(&tempfile::tempdir().unwrap());
    let error = vault.read(PLACE, None).await.unwrap_err();
    assert!(matches!(&error, StoreError::Refused(text) if text.contains("could not read")), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let vault = fake.vault(&folder);
    let value = vault.read(PLACE, None).await.unwrap();
    assert_eq!(value.value.expose_secret(), "x");
    assert_eq!(value.facts.changed_at, Some(ops_contract::Timestamp(1_793_491_200_500_000)));
    let asked = fake.asked.lock().unwrap().clone();
    assert!(asked[0].starts_with("POST /v1/auth/kubernetes/eu/login "), "{}", asked[0]);
    assert!(asked[0].ends_with(r#"{"role":"server","jwt":"account.token"}"#), "{}", asked[0]);
    assert!(asked[1].starts_with("GET /v1/secret/data/a "), "{}", asked[1]);
    for line in ["x-vault-token: s.1", "x-vault-namespace: team"] {
        assert!(asked[1].contains(line), "{}", asked[1]);
    }
}

#[tokio::test]
async fn a_refused_token_is_had_anew_once_and_not_for_ever() {
    let denied = answer(403, r#"{"errors":["permission denied"]}"#);
    let fake = Fake::start(vec![
        answer(200, LOGIN),
        denied.clone(),
        answer(200, &LOGIN.replace("s.1", "s.2")),
        denied,
    ])
    .await;
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(fake.vault(&folder).read(PLACE, None).await, Err(StoreError::Refused(_))));
    assert_eq!(fake.asked.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn nothing_that_a_peer_answers_makes_it_panic_or_is_repeated() {
    const SAID: &str = "canary-said-by-the-peer";
    let many = "x".repeat(LONGEST_ANSWER + 1);
    let mut rubbish: Vec<Vec<u8>> = [
        (200, SAID),
        (200, "{}"),
        (200, r#"{"data":null,"auth":null}"#),
        (200, r#"{"data":{"data":{"key":"x"},"metadata":{"version":-1,"created_time":"canary-said-by-the-peer"}}}"#),
        (200, r#"{"data":{"data":["canary-said-by-the-peer"],"metadata":{}}}"#),
        (200, &many),
        (200, &"[".repeat(100_000)),
        (204, ""),
        (301, SAID),
        (400, r#"{"errors":["canary-said-by-the-peer"]}"#),
        (403, r#"{"errors":["canary-said-by-the-peer"]}"#),
        (404, SAID),
        (500, SAID),
        (503, SAID),
        (999, SAID),
    ]
    .iter()
    .map(|(status, body)| answer(*status, body))
    .collect();
    rubbish.extend([
        b"HTTP/1.1 200 X\r\ncontent-length: 1000\r\n\r\n{\"data\":".to_vec(),
        b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n".to_vec(),
        b"\0\xff\xfe rubbish".to_vec(),
        Vec::new(),
    ]);
    rubbish.extend((0..20).map(|_| (0..64).map(|_| rand::random()).collect::<Vec<u8>>()));
    for bad in rubbish {
        // At the login, and after it.
        for answers in [vec![bad.clone()], vec![answer(200, LOGIN), bad.clone()]] {
            let fake = Fake::start(answers).await;
            let folder = tempfile::tempdir().unwrap();
            let vault = fake.vault(&folder);
            let value = SecretString::from("x");
            let errors = [
                vault.read(PLACE, None).await.map(drop).unwrap_err(),
                vault.write(PLACE, &value).await.map(drop).unwrap_err(),
                vault.metadata("secret", "a").await.map(drop).unwrap_err(),
                vault.sys_audit().await.map(drop).unwrap_err(),
                vault.audit_hash("file", &value).await.map(drop).unwrap_err(),
            ];
            for error in errors {
                let text = format!("{error} {error:?}");
                assert!(!text.contains("canary"), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_trickles_is_cut_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let slow = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 100000\r\n\r\n").await.unwrap();
        while stream.write_all(b" ").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let mut fake = Fake::start(vec![Vec::new()]).await;
    fake.url = url;
    let vault = fake.vault(&folder);
    let read = tokio::time::timeout(2 * super::DEADLINE, vault.read(PLACE, None)).await;
    let error = read.expect("it waited longer than twice the deadline").unwrap_err();
    assert!(matches!(error, StoreError::Unreachable(_)), "{error}");
    slow.abort();
}
