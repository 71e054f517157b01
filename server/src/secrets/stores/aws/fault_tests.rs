//! Against peers that answer anything, or nothing.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::tests::config;
use super::{DEADLINE, Kms, SecretsManager};
use crate::secrets::stores::StoreError;

#[tokio::test]
async fn nothing_that_a_peer_answers_makes_it_panic_or_is_repeated() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = config(&format!("http://{}", listener.local_addr().unwrap())).await;
    let json = |status: u16, body: &str| {
        format!(
            "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    };
    let answers = [
        json(200, "canary"),
        json(200, "{}"),
        json(200, r#"{"SecretString":7,"Plaintext":"canary","VersionIdsToStages":[]}"#),
        json(200, &"[".repeat(100_000)),
        json(400, r#"{"__type":"AccessDeniedException","message":"canary"}"#),
        json(400, r#"{"__type":"canary-canary \u0000","message":"canary"}"#),
        json(500, "canary"),
        b"HTTP/1.1 200 X\r\ncontent-length: 1000\r\n\r\n{\"Sec".to_vec(),
        b"\0\xff\xfe canary".to_vec(),
        Vec::new(),
    ];
    let (manager, kms) = (SecretsManager::new(&config), Kms::new(&config));
    for answer in answers {
        let said = String::from_utf8_lossy(&answer).chars().take(200).collect::<String>();
        let peer = async {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 16 << 10];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        };
        let ask = async {
            (manager.read("a", None).await, kms.generate("k").await, kms.decrypt("k", vec![1]).await)
        };
        let (read, made, decrypted) = tokio::select! { it = ask => it, () = peer => unreachable!() };
        for error in [read.map(drop).unwrap_err(), made.map(drop).unwrap_err()] {
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
        if let Ok(plain) = decrypted {
            assert!(said.contains("Plaintext"), "{} bytes came from nowhere", plain.len());
        }
    }
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_given_up_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = config(&format!("http://{}", listener.local_addr().unwrap())).await;
    let manager = SecretsManager::new(&config);
    let read = tokio::time::timeout(2 * DEADLINE, manager.read("a", None)).await;
    let error = read.expect("it waited longer than twice the deadline").unwrap_err();
    assert!(matches!(&error, StoreError::Unreachable(text) if text.contains("within 5 s")), "{error}");
}
