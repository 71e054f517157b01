//! Worker processes of both kinds, some of which are killed and replaced.

use std::{path::Path, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::support::Server;

/// The jobs that one process works on at the same time.
pub(super) const CONCURRENCY: usize = 10;
const LOCK_MS: u32 = 3000;
const STALLED_MS: u32 = 1000;
const OF_EACH: usize = 2;

pub(super) struct Fleet {
    port: u16,
    url: String,
    queue: String,
    processes: Vec<(Kind, Child)>,
    kills: usize,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Npm,
    Ours,
}

impl Fleet {
    pub(super) async fn start(server: &Server, queue: &str) -> Self {
        let mut fleet = Self {
            port: server.port,
            url: server.url(),
            queue: queue.to_owned(),
            processes: Vec::new(),
            kills: 0,
        };
        for _ in 0..OF_EACH {
            for kind in [Kind::Npm, Kind::Ours] {
                let process = fleet.launch(kind).await;
                fleet.processes.push((kind, process));
            }
        }
        fleet
    }

    /// Kills one process, whichever the number says, without a chance to say good-bye, and starts another of its kind.
    pub(super) async fn kill_one(&mut self, number: usize) {
        let place = number % self.processes.len();
        let (kind, process) = &mut self.processes[place];
        let kind = *kind;
        process.kill().await.expect("it was running");
        self.kills += 1;
        let successor = self.launch(kind).await;
        self.processes[place] = (kind, successor);
    }

    pub(super) fn kills(&self) -> usize {
        self.kills
    }

    async fn launch(&self, kind: Kind) -> Child {
        let mut command = match kind {
            Kind::Npm => {
                let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/node");
                let mut command = Command::new("node");
                command.arg("bull_storm.mjs").arg(self.port.to_string()).current_dir(folder);
                command
            }
            Kind::Ours => {
                // A run of all the tests of a package builds its examples too.
                let tests = std::env::current_exe().expect("this program has a path");
                let program =
                    tests.parent().and_then(Path::parent).map(|folder| folder.join("examples/storm"));
                let program = program.filter(|program| program.is_file());
                let mut command =
                    Command::new(program.expect("it is there after `cargo build -p ops-bullmq --examples`"));
                command.arg(&self.url);
                command
            }
        };
        let mut process = command
            .arg(&self.queue)
            .args([CONCURRENCY.to_string(), LOCK_MS.to_string(), STALLED_MS.to_string()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the worker's program starts");
        let output = process.stdout.take().expect("it is piped");
        let ready = BufReader::new(output).lines().next_line().await.expect("it speaks");
        assert_eq!(ready.as_deref().map(|line| line.contains("ready")), Some(true));
        process
    }
}
