//! A server that is killed between the entry and the hand-out, and between the hand-out and the answer: the log tells the
//! truth in both cases.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ops_contract::{Hello, Lease, LeaseRequest, Report, SecretPurpose, SecretsRequest, Signal};
use ops_tests::stores::Postgres;
use ops_tests::system::{http_client, prepare, program};
use ops_tests::{eventually, free_ports};
use reqwest::Client;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

const TOKEN: &str = "a-token-for-this-test-and-no-other";
const VALUE: &str = "canary-of-the-hand-outs";
const PATIENCE: Duration = Duration::from_secs(60);
/// More than the buffers between a server and a client that does not read can hold.
const SECRETS: usize = 16;
const LONG: usize = 60_000;

/// Stands between the server and its store; holds back the answer to the commit of an entry `secret.read` when told to.
#[derive(Default)]
struct Between {
    holds: AtomicBool,
    held: AtomicBool,
}

impl Between {
    async fn start(store: &str) -> (Arc<Self>, u16) {
        let between = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (it, store) = (between.clone(), store.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&store).await else { continue };
                tokio::spawn(it.clone().relay(client, server));
            }
        });
        (between, port)
    }

    async fn relay(self: Arc<Self>, client: TcpStream, server: TcpStream) {
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
            (client.into_split(), server.into_split());
        let holds = Arc::new(AtomicBool::new(false));
        let answers = holds.clone();
        let up = async move {
            let (mut buffer, mut reads) = (vec![0; 1 << 16], false);
            while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
                let sent = &buffer[..count];
                let has = |word: &[u8]| sent.windows(word.len()).any(|it| it == word);
                reads |= has(b"secret.read") && self.holds.load(Ordering::SeqCst);
                if reads && has(b"COMMIT") {
                    holds.store(true, Ordering::SeqCst);
                    self.held.store(true, Ordering::SeqCst);
                }
                if to_server.write_all(sent).await.is_err() {
                    break;
                }
            }
        };
        let down = async move {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
                if answers.load(Ordering::SeqCst) {
                    std::future::pending::<()>().await;
                }
                if to_client.write_all(&buffer[..count]).await.is_err() {
                    break;
                }
            }
        };
        tokio::select! {
            () = up => {}
            () = down => {}
        }
    }
}

/// A server process, on a store behind [`Between`].
struct World {
    postgres: Postgres,
    between: Arc<Between>,
    folder: TempDir,
    port: u16,
    http: Client,
    child: Child,
}

impl World {
    async fn start() -> Self {
        let postgres = Postgres::start().await.unwrap();
        let url = postgres.url();
        let store = url.split(['@', '/']).find(|it| it.starts_with("127.0.0.1:")).unwrap().to_owned();
        let (between, gate) = Between::start(&store).await;
        let port = free_ports().unwrap();
        let names: Vec<String> = (0..SECRETS).map(|n| format!("\"LONG_{n}\"")).collect();
        let mut stack = format!(
            "[stack]\nname = \"handouts\"\nenvironment = \"test\"\n[server]\nlisten = \"127.0.0.1:{port}\"\n\
             database = \"{}\"\n[secrets.API_KEY]\nfrom = \"env\"\n[services.web]\nrun = [\"sleep\", \"1000\"]\n\
             secrets = [{}]\n",
            url.replace(&store, &format!("127.0.0.1:{gate}")),
            names.join(", ")
        );
        let lines = format!("API_KEY={VALUE}\n");
        for n in 0..SECRETS {
            stack += &format!("[secrets.LONG_{n}]\nfrom = \"encrypted_file\"\n");
        }
        let folder = prepare(&stack).unwrap();
        for (name, text) in [(".env", lines.as_str()), ("token", TOKEN), ("agent", &format!("{TOKEN}-agent"))]
        {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let child = run(&folder);
        let world = Self { postgres, between, folder, port, http: http_client().unwrap(), child };
        world.is_ready().await;
        // Six bytes of JSON each.
        let body = json!({ "value": "\u{1}".repeat(LONG), "reason": "a test" });
        for n in 0..SECRETS {
            let url = world.at(&format!("/api/secrets/LONG_{n}"));
            let answer = world.http.put(url).bearer_auth(TOKEN).json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 200);
        }
        world
    }

    fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    async fn is_ready(&self) {
        let ready = async || {
            let answer = self.http.get(self.at("/readyz")).send().await.ok()?;
            (answer.status() == 200).then_some(())
        };
        let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        eventually(PATIENCE, ready).await.unwrap_or_else(|| panic!("not ready:\n{}", log()));
    }

    /// Kills the server as a fault would, and starts it again.
    async fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.between.holds.store(false, Ordering::SeqCst);
        self.child = run(&self.folder);
        self.is_ready().await;
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, path: &str, body: &impl serde::Serialize) -> T {
        let token = if path.starts_with("/agent") { format!("{TOKEN}-agent") } else { TOKEN.to_owned() };
        let answer = self.http.post(self.at(path)).bearer_auth(token).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_str(&answer.text().await.unwrap())
            .unwrap_or_else(|_| serde_json::from_str("null").unwrap())
    }

    async fn entries(&self, action: &str) -> Vec<Value> {
        let url = self.at(&format!("/api/audit?limit=200&action={action}"));
        let answer = self.http.get(url).bearer_auth(TOKEN).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["entries"].as_array().unwrap().clone()
    }

    async fn unconfirmed(&self, count: usize) -> Vec<Value> {
        let found = eventually(PATIENCE, async || {
            Some(self.entries("secret.unconfirmed").await).filter(|it| it.len() >= count)
        });
        found.await.expect("what nobody is known to have received is told")
    }

    async fn verify(&self) {
        let verdict: Value = self.ask("/api/audit/verify", &json!({})).await;
        assert_eq!((&verdict["integrity"], &verdict["fault"]), (&json!("intact"), &Value::Null), "{verdict}");
    }

    /// Waits until the store itself has `sql` count as wanted.
    async fn store_has(&self, sql: &'static str, wanted: impl Fn(i64) -> bool) {
        let mut db = PgConnection::connect(&self.postgres.url()).await.unwrap();
        let mut last = 0;
        let end = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < end {
            last = sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut db).await.unwrap();
            if wanted(last) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{sql}: {last}");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(folder: &TempDir) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.path().join("log")).unwrap();
    let program: PathBuf = program("insightdesk").unwrap();
    Command::new(program)
        .args(["server", "--operator-token-file", "token", "--agent-token-file", "agent"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

const OPEN: &str = "SELECT COUNT(*) FROM secret_handouts";
const READS: &str = "SELECT COUNT(*) FROM audit_entries WHERE action = 'secret.read' AND outcome = 'allowed'";

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_hand_out_or_before_the_answer_the_log_tells_the_truth() {
    let mut world = World::start().await;
    let read = json!({ "reason": "a test" });
    let values: Value = world.ask("/api/secrets/API_KEY/read", &read).await;
    assert_eq!(values["values"]["API_KEY"], VALUE);
    world.store_has(OPEN, |count| count == 0).await;

    // Between the entry and the hand-out: the entry is in the store, and the server does not know it yet.
    world.between.holds.store(true, Ordering::SeqCst);
    let request =
        world.http.post(world.at("/api/secrets/API_KEY/read")).bearer_auth(TOKEN).json(&read).send();
    let asked = tokio::spawn(request);
    world.store_has(READS, |count| count == 2).await;
    assert!(world.between.held.load(Ordering::SeqCst));
    assert!(!asked.is_finished(), "nothing was handed out");
    world.kill().await;
    assert!(asked.await.unwrap().is_err(), "and nothing will be");
    let told = world.unconfirmed(1).await;
    let reads = world.entries("secret.read").await;
    assert_eq!(told[0]["details"]["entry"], reads[0]["seq"].to_string(), "{told:?}");
    assert_eq!((&told[0]["subject"], &told[0]["outcome"]), (&json!("API_KEY"), &json!("failed")));
    assert_eq!(reads.len(), 2);
    world.verify().await;
    world.store_has(OPEN, |count| count == 0).await;

    // Between the hand-out and the answer: an agent that asks for much and does not read.
    let hello = Hello { host: "here".to_owned(), pid: 1, session: "one".to_owned() };
    let _: Value = world.ask("/agent/hello", &hello).await;
    let inventory = Signal::Inventory { replicas: Vec::new() };
    let _: Value = world.ask("/agent/signals", &Report { signals: vec![inventory] }).await;
    let lease = LeaseRequest { session: "one".to_owned(), wait_ms: 20_000, stopping: false };
    let lease: Lease = world.ask("/agent/lease", &lease).await;
    let start = lease.actions.first().expect("the service is to be started");
    let purpose = SecretPurpose::Start { replica: start.replica.clone(), generation: start.generation };
    let names = (0..SECRETS).map(|n| format!("LONG_{n}")).collect();
    let body = serde_json::to_vec(&SecretsRequest { names, purpose }).unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut slow = socket.connect(([127, 0, 0, 1], world.port).into()).await.unwrap();
    let head = format!(
        "POST /agent/secrets HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {TOKEN}-agent\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    slow.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
    // The first bytes are there: it was handed out, and is being sent.
    assert_eq!(slow.read_u8().await.unwrap(), b'H');
    world.store_has(OPEN, |count| count == 1).await;
    world.kill().await;
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest).await;
    assert!(rest.len() < SECRETS * LONG * 6, "the answer was cut: {}", rest.len());
    let told = world.unconfirmed(2).await;
    let of_agent =
        told.iter().find(|it| it["details"]["actor"] == "web/0").unwrap_or_else(|| panic!("{told:?}"));
    let first = of_agent["details"]["entry"].as_str().unwrap().parse::<u64>().unwrap();
    let reads = world.entries("secret.read").await;
    assert!(reads.iter().any(|it| it["seq"] == first && it["actor"] == "web" && it["outcome"] == "allowed"));
    world.verify().await;
}
