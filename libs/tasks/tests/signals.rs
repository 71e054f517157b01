//! Signals against a real process: this test binary runs itself again as the program.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};

use ops_tasks::cancel_on_signal;
use rustix::process::{Pid, Signal, kill_process};
use tokio_util::sync::CancellationToken;

/// Not a test: says when it is ready and when it was told to stop, then drains for ever or not at all.
#[tokio::test]
#[ignore = "a program for the tests below"]
async fn program() {
    let shutdown = CancellationToken::new();
    cancel_on_signal(shutdown.clone()).expect("signal handlers");
    println!("\nready");
    shutdown.cancelled().await;
    println!("\nstopping");
    if std::env::var_os("DRAIN_FOREVER").is_some() {
        std::future::pending::<()>().await;
    }
}

fn start(drain_forever: bool) -> (Child, impl FnMut(&str)) {
    let mut command = Command::new(std::env::current_exe().expect("own path"));
    command.args(["--exact", "program", "--ignored", "--nocapture"]).stdout(Stdio::piped());
    if drain_forever {
        command.env("DRAIN_FOREVER", "1");
    }
    let mut child = command.spawn().expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let wait_for = move |wanted: &str| {
        let found = lines.any(|line| line.is_ok_and(|line| line == wanted));
        assert!(found, "the program never said {wanted}");
    };
    (child, wait_for)
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("the program lives");
}

fn check_one(signal: Signal) {
    let (mut child, mut wait_for) = start(false);
    wait_for("ready");
    send(&child, signal);
    wait_for("stopping");
    assert!(child.wait().is_ok_and(|status| status.success()));
}

#[test]
fn the_first_signal_asks_for_shutdown() {
    check_one(Signal::TERM);
    check_one(Signal::INT);
}

#[test]
fn the_second_signal_exits_at_once_with_130() {
    let (mut child, mut wait_for) = start(true);
    wait_for("ready");
    send(&child, Signal::TERM);
    wait_for("stopping");
    send(&child, Signal::INT);
    assert_eq!(child.wait().ok().and_then(|status: ExitStatus| status.code()), Some(130));
}
