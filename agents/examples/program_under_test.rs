//! A program for agents to look after. It answers `/health` on `PORT`, counts aloud, and does what its arguments say.
//!
//! `count` a line every 5 ms · `bad-if FILE` answers 503 while FILE exists · `say TEXT…` each as a write of its own,
//! then a line end · `environment` prints its variables · `exit CODE` after 200 ms · `jobs N` says that it works on N jobs ·
//! `metrics` answers `/metrics`, which is 404 without it

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

#[expect(clippy::disallowed_methods, reason = "no runtime here")]
fn main() -> io::Result<()> {
    let mut out = io::stdout();
    let mut arguments = std::env::args().skip(1);
    let mut bad_if = None;
    let mut jobs = None;
    let mut metrics = false;
    while let Some(word) = arguments.next() {
        match word.as_str() {
            "count" => drop(std::thread::spawn(count)),
            "bad-if" => bad_if = arguments.next().map(PathBuf::from),
            "jobs" => jobs = arguments.next(),
            "metrics" => metrics = true,
            "environment" => {
                for (name, value) in std::env::vars() {
                    writeln!(out, "{name}={value}")?;
                }
            }
            "say" => {
                for part in arguments.by_ref() {
                    out.write_all(part.as_bytes())?;
                    out.flush()?;
                    std::thread::sleep(Duration::from_millis(50));
                }
                writeln!(out)?;
            }
            "exit" => {
                std::thread::sleep(Duration::from_millis(200));
                std::process::exit(arguments.next().and_then(|code| code.parse().ok()).unwrap_or(1));
            }
            _ => {}
        }
    }
    serve(bad_if, jobs, metrics)
}

#[expect(clippy::disallowed_methods, reason = "no runtime here")]
fn count() {
    for n in 0_u64.. {
        if writeln!(io::stdout(), "count {n}").is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn serve(bad_if: Option<PathBuf>, jobs: Option<String>, metrics: bool) -> io::Result<()> {
    let port: u16 = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(0);
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let body = jobs.map_or("ok".to_owned(), |jobs| format!(r#"{{"status":"ok","active_jobs":{jobs}}}"#));
    let good = format!("200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    for stream in listener.incoming() {
        let mut stream = stream?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        let mut request = [0; 2048];
        let _ = stream.read(&mut request);
        let bad = bad_if.as_ref().is_some_and(|path| path.exists());
        let answer = if request.starts_with(b"GET /metrics ") {
            let text = "app_requests_total{service=\"own\"} 7\n";
            let found = format!("200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len());
            if metrics { found } else { "404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned() }
        } else if bad {
            "503 Service Unavailable\r\ncontent-length: 10\r\n\r\nno backend".to_owned()
        } else {
            good.clone()
        };
        let _ = write!(stream, "HTTP/1.1 {answer}");
    }
    Ok(())
}
