//! The gate holds a program back until its shim has written down who it is.
//!
//! The shim runs itself as `insightdesk-shim --gate SHIM_PID PROGRAM ARGUMENTS…`. This process asks to be killed when
//! the shim dies, waits for one byte on its standard input, a socket, and becomes the program: same pid. The socket's
//! copy is closed by a successful exec, so the shim reads either the end (the program runs) or what went wrong.

use std::env::ArgsOs;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::iter::Skip;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// Waits, then becomes the program. Returns only when that cannot be.
pub(crate) fn run(mut arguments: Skip<ArgsOs>) -> ExitCode {
    let shim = arguments.next().and_then(|pid| pid.to_str()?.parse::<i32>().ok());
    if set_parent_process_death_signal(Some(Signal::KILL)).is_err() {
        return ExitCode::from(126);
    }
    // The shim may have died before the line above took effect.
    if getppid().map(|pid| pid.as_raw_nonzero().get()) != shim {
        return ExitCode::from(126);
    }
    let mut byte = [0];
    if io::stdin().read_exact(&mut byte).is_err() {
        return ExitCode::from(126);
    }
    let (Ok(socket), Ok(null)) = (io::stdin().as_fd().try_clone_to_owned(), File::open("/dev/null")) else {
        return ExitCode::from(126);
    };
    if rustix::stdio::dup2_stdin(&null).is_err() {
        return ExitCode::from(126);
    }

    let program = arguments.next().unwrap_or_default();
    let error = Command::new(&program).args(arguments).exec();
    let _ = UnixStream::from(socket).write_all(in_words(&program, &error).as_bytes());
    ExitCode::from(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 })
}

fn in_words(program: &OsString, error: &io::Error) -> String {
    let program = program.to_string_lossy();
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!("cannot start {program}: no such program (or its interpreter is missing)")
        }
        io::ErrorKind::PermissionDenied => format!("cannot start {program}: it is not executable"),
        _ => format!("cannot start {program}: {error}"),
    }
}
