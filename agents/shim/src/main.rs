//! Keeps one replica alive: runs its program, owns its log, writes down how it ended.
//!
//! One shim per replica, in a session of its own, so that agents may come and go. It reads one JSON document from
//! standard input ([`spec::Spec`]), takes the lock of the slot, starts the program behind a gate, writes
//! `process.json` before the program runs and `exit.json` after everything else, and answers its starter with one
//! line of JSON on standard output. It decides nothing: no restarts, no health, no network.
//!
//! Exit codes of its own: 75 the slot is held, 76 the generation was used before, 1 anything else.
//!
//! To add to it: don't, unless the agent cannot do it. Every page it touches is paid for once per replica.

mod capture;
mod files;
mod gate;
mod leftovers;
mod log;
mod procfs;
mod redact;
mod replica;
mod slot;
mod spec;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::json;

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    match arguments.next() {
        None => run(),
        Some(word) if word == "--gate" => gate::run(arguments),
        Some(_) => {
            let _ = writeln!(
                io::stderr(),
                "insightdesk-shim is started by the agent, with JSON on standard input"
            );
            ExitCode::from(2)
        }
    }
}

fn run() -> ExitCode {
    match replica::start() {
        Ok(replica) => {
            answer(&json!({ "pid": replica.pid() }));
            replica.watch();
            ExitCode::SUCCESS
        }
        Err(refusal) => {
            answer(&json!({ "error": refusal.message, "code": refusal.code }));
            ExitCode::from(refusal.code)
        }
    }
}

/// Answers whoever started this shim, and lets go of what it handed over. It may be dead by now; that is no fault.
fn answer(answer: &serde_json::Value) {
    let _ = writeln!(io::stdout(), "{answer}");
    let _ = io::stdout().flush();
    if let Ok(null) = std::fs::File::options().read(true).write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdin(&null);
        let _ = rustix::stdio::dup2_stdout(&null);
        let _ = rustix::stdio::dup2_stderr(&null);
    }
}
