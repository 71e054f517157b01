use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, pidfd_open, set_child_subreaper, setsid,
};
use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ};

use crate::capture::Capture;
use crate::log::Log;
use crate::redact::Redactor;
use crate::slot::{Refusal, Slot};
use crate::spec::Spec;
use crate::{files, leftovers};

/// Longest wait for the gate to become the program.
const EXEC_PATIENCE: Duration = Duration::from_secs(10);
/// How often orphans that nobody waited for are collected.
const REAP_EVERY: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };
/// How long what a crashed program left behind may take to end after SIGTERM.
const LEFTOVER_GRACE: Duration = Duration::from_secs(3);
/// How much of an output is read before something else gets its turn; a pipe holds at most 64 of them.
const MOST_CHUNKS: usize = 128;
/// Longest wait for the disk before the end is written down.
const FLUSH_PATIENCE: Duration = Duration::from_secs(2);

/// A program that runs.
pub(crate) struct Replica {
    slot: Slot,
    pid: Pid,
    pidfd: OwnedFd,
    out: Capture<ChildStdout>,
    err: Capture<ChildStderr>,
    redactor: Redactor,
    log: Log,
    stop_grace: Duration,
}

/// Starts what standard input asks for.
pub(crate) fn start() -> Result<Replica, Refusal> {
    let spec = Spec::read()?;
    detach();
    let slot = Slot::take(&spec)?;
    let log = Log::open(spec.log_path.clone(), spec.log_max_bytes, spec.log_keep)?;

    let (mut gate, theirs) = UnixStream::pair().map_err(|e| format!("cannot make a socket: {e}"))?;
    let mut child = spawn_gate(&spec, theirs)?;
    let pid = Pid::from_child(&child);
    let replica = match held_back(&mut child, pid, slot, &spec, log) {
        Ok(replica) => replica,
        Err(error) => {
            // The gate has not been opened: no line of the program has run.
            let _ = child.kill();
            let _ = child.wait();
            return Err(error.into());
        }
    };
    open_gate(&mut gate).map_err(|error| replica.never_began(error))?;
    Ok(replica)
}

/// An own session, orphans come to us, and signals meant for others change nothing. Handlers, not `SIG_IGN`, which
/// the program would inherit.
fn detach() {
    let _ = setsid();
    let _ = set_child_subreaper(Some(rustix::process::getpid()));
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGXFSZ] {
        let _ = signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)));
    }
}

fn spawn_gate(spec: &Spec, gate: UnixStream) -> Result<Child, String> {
    let mut command = Command::new("/proc/self/exe");
    command.arg("--gate").arg(std::process::id().to_string()).args(&spec.argv);
    command.env_clear().envs(&spec.env).current_dir(&spec.directory).process_group(0);
    command.stdin(Stdio::from(OwnedFd::from(gate))).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| match spec.directory.is_dir() {
        false => format!("cannot start {}: no directory {}", spec.argv[0], spec.directory.display()),
        true => format!("cannot start {}: {error}", spec.argv[0]),
    })
}

/// Writes down who the program will be, while it cannot run yet.
fn held_back(child: &mut Child, pid: Pid, slot: Slot, spec: &Spec, log: Log) -> Result<Replica, String> {
    let out = child.stdout.take().ok_or("no standard output")?;
    let err = child.stderr.take().ok_or("no standard error")?;
    do_not_block(&out)?;
    do_not_block(&err)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).map_err(|e| format!("cannot watch the program: {e}"))?;
    slot.write_process(spec, pid.as_raw_nonzero().get())?;
    Ok(Replica {
        slot,
        pid,
        pidfd,
        out: Capture::new(out, b'o'),
        err: Capture::new(err, b'e'),
        redactor: Redactor::new(&spec.redact),
        log,
        stop_grace: Duration::from_millis(spec.stop_grace_ms),
    })
}

fn do_not_block(fd: impl AsFd) -> Result<(), String> {
    let set = fcntl_getfl(&fd).and_then(|flags| fcntl_setfl(&fd, flags | OFlags::NONBLOCK));
    set.map_err(|e| format!("cannot set up a pipe: {e}"))
}

/// Lets the program run and hears whether it does.
fn open_gate(gate: &mut UnixStream) -> Result<(), String> {
    let mut failure = String::new();
    let heard = gate
        .set_read_timeout(Some(EXEC_PATIENCE))
        .and_then(|()| gate.write_all(&[1]))
        .and_then(|()| gate.take(4096).read_to_string(&mut failure));
    match heard {
        Ok(_) if failure.is_empty() => Ok(()),
        Ok(_) => Err(failure),
        Err(error) => Err(format!("the program did not begin: {error}")),
    }
}

impl Replica {
    /// Process id of the program.
    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Captures its output until it ends, then writes down how.
    pub(crate) fn watch(mut self) {
        let mut chunk = vec![0; 16 * 1024];
        let status = loop {
            self.wait_for_something();
            self.read(&mut chunk);
            if let Some(status) = self.reap() {
                break status;
            }
        };
        self.read_what_is_there(&mut chunk);

        let stopping = self.slot.is_being_stopped();
        let left = leftovers::find(self.pid());
        if stopping && !left.is_empty() {
            // Its children were told to stop with it and may finish what they do; the agent's patience ends first.
            let patience = self.stop_grace + LEFTOVER_GRACE;
            self.await_leftovers(patience, &mut chunk);
        }
        self.end_captures_if(left.is_empty(), &mut chunk);
        self.log.flush(FLUSH_PATIENCE);
        self.slot.write_exit(&json!({
            "code": status.exit_status(),
            "signal": status.terminating_signal(),
            "at_us": files::now_us(),
            "leftovers": leftovers::names(&left),
        }));
        if !stopping && !left.is_empty() {
            leftovers::signal(&left, Signal::TERM);
            self.await_leftovers(LEFTOVER_GRACE, &mut chunk);
        }
        self.end_captures_if(true, &mut chunk);
        self.log.flush(FLUSH_PATIENCE);
    }

    /// The gate could not become the program.
    fn never_began(&self, error: String) -> String {
        let _ = rustix::process::kill_process(self.pid, Signal::KILL);
        let _ = rustix::process::waitpid(Some(self.pid), WaitOptions::empty());
        self.log.write(files::now_us(), b'e', error.as_bytes());
        self.log.flush(FLUSH_PATIENCE);
        self.slot.write_exit(&json!({
            "code": null, "signal": null, "at_us": files::now_us(), "leftovers": [], "error": error,
        }));
        error
    }

    fn wait_for_something(&self) {
        let readable = PollFlags::IN;
        let mut fds = vec![PollFd::new(&self.pidfd, readable)];
        fds.extend(self.out.source.as_ref().map(|source| PollFd::new(source, readable)));
        fds.extend(self.err.source.as_ref().map(|source| PollFd::new(source, readable)));
        let _ = poll(&mut fds, Some(&REAP_EVERY));
    }

    /// Reads a chunk of each output; says whether there may be more at once.
    fn read(&mut self, chunk: &mut [u8]) -> bool {
        let out = self.out.read(chunk, &self.redactor, &self.log);
        let err = self.err.read(chunk, &self.redactor, &self.log);
        out || err
    }

    /// Reads on, but not forever: what is left behind may never stop writing.
    fn read_what_is_there(&mut self, chunk: &mut [u8]) {
        for _ in 0..MOST_CHUNKS {
            if !self.read(chunk) {
                break;
            }
        }
    }

    /// Collects every child that has ended, adopted ones too; returns how the program ended.
    fn reap(&self) -> Option<WaitStatus> {
        let mut ended = None;
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            if pid == self.pid {
                ended = Some(status);
            }
        }
        ended
    }

    /// Gives leftovers time, then kills them.
    fn await_leftovers(&mut self, patience: Duration, chunk: &mut [u8]) {
        let main = self.pid();
        if leftovers::wait(main, patience, || self.read_what_is_there(chunk)) {
            return;
        }
        leftovers::signal(&leftovers::find(main), Signal::KILL);
        leftovers::wait(main, LEFTOVER_GRACE, || self.read_what_is_there(chunk));
    }

    /// Reads what was written before the last process ended. When nothing is left that could write, the last line is
    /// let go too, if it has no end.
    fn end_captures_if(&mut self, nothing_left: bool, chunk: &mut [u8]) {
        self.read_what_is_there(chunk);
        if nothing_left {
            self.out.end(&self.redactor, &self.log);
            self.err.end(&self.redactor, &self.log);
        }
    }
}
