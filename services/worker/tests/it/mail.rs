//! A mail server that takes every mail, slowly.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Counts what it is given.
pub(crate) struct Sink {
    port: u16,
    greeted: Arc<AtomicUsize>,
    delivered: Arc<AtomicUsize>,
}

impl Sink {
    /// Takes so long for each mail.
    pub(crate) async fn start(pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (greeted, delivered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let sink = Self { port, greeted: greeted.clone(), delivered: delivered.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                greeted.fetch_add(1, Ordering::SeqCst);
                let delivered = delivered.clone();
                tokio::spawn(async move { talk(stream, pause, &delivered).await });
            }
        });
        sink
    }

    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        [("SMTP_HOST", "127.0.0.1".to_owned()), ("SMTP_PORT", self.port.to_string())]
    }

    pub(crate) fn greeted(&self) -> usize {
        self.greeted.load(Ordering::SeqCst)
    }

    pub(crate) fn delivered(&self) -> usize {
        self.delivered.load(Ordering::SeqCst)
    }
}

async fn talk(stream: TcpStream, pause: Duration, delivered: &AtomicUsize) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 sink\r\n").await.ok()?;
    let mut in_data = false;
    while let Some(line) = lines.next_line().await.ok()? {
        let answer: &[u8] = match line.as_str() {
            "." if in_data => {
                tokio::time::sleep(pause).await;
                in_data = false;
                delivered.fetch_add(1, Ordering::SeqCst);
                b"250 taken\r\n"
            }
            _ if in_data => continue,
            "DATA" => {
                in_data = true;
                b"354 go on\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"250 ok\r\n",
        };
        write.write_all(answer).await.ok()?;
    }
    Some(())
}
