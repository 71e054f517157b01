use std::time::Duration;

use ops_bullmq::{JobOptions, Queue};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Eye, QUEUE};
use crate::support::{Server, client, job};

/// What a look may send, and what its script may call.
const READS: [&str; 22] = [
    "xread",
    "evalsha",
    "script",
    "scan",
    "client",
    "info",
    "time",
    "hmget",
    "llen",
    "zcard",
    "zcount",
    "zrange",
    "zrangebyscore",
    "zrevrangebyscore",
    "xrange",
    "xrevrange",
    "xlen",
    "lrange",
    "exists",
    "ping",
    "select",
    "echo",
];

#[tokio::test]
async fn a_look_reads_only_and_asks_for_few_jobs_of_many() {
    let server = Server::start().await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let jobs = (0..20_000).map(|n| {
        let options = match n % 3 {
            0 => JobOptions { priority: Some(n % 50 + 1), ..JobOptions::default() },
            1 => JobOptions { delay: Some(Duration::from_secs(u64::from(n) % 600)), ..JobOptions::default() },
            _ => JobOptions::default(),
        };
        job("n", json!({}), options)
    });
    queue.add_bulk(jobs).await.expect("added");
    server.command(&["SCRIPT", "FLUSH"]).await;

    let mut monitor =
        BufReader::new(TcpStream::connect(("127.0.0.1", server.port)).await.expect("it listens")).lines();
    monitor.get_mut().get_mut().write_all(b"MONITOR\r\n").await.expect("sent");
    assert_eq!(monitor.next_line().await.expect("an answer").as_deref(), Some("+OK"));
    let mut eye = Eye::on(&server).await;
    const LOOKS: usize = 5;
    for _ in 1..LOOKS {
        eye.look().await;
    }
    server.command(&["ECHO", "the end"]).await;
    let mut sent: Vec<(String, String)> = Vec::new();
    while let Some(line) = monitor.next_line().await.expect("an answer") {
        if line.contains("the end") {
            break;
        }
        let command = line.split('"').nth(1).unwrap_or_default().to_lowercase();
        sent.push((command, line));
    }
    for (command, line) in &sent {
        assert!(READS.contains(&command.as_str()), "{line}");
    }
    let count =
        |name: &str, part: &str| sent.iter().filter(|(it, line)| it == name && line.contains(part)).count();
    assert_eq!(count("scan", ""), LOOKS);
    assert_eq!(count("scan", "\"COUNT\" \"1000\" \"TYPE\" \"hash\""), LOOKS);
    // Heads are asked about once, and finished jobs not at all while there are none.
    let of_jobs = count("hmget", "\"timestamp\"");
    assert!((5..=12).contains(&of_jobs), "{of_jobs} jobs were read");
    assert!(count("evalsha", "") <= LOOKS + 2 && count("client", "") <= LOOKS, "{sent:#?}");
}
