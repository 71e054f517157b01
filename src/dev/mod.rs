//! Development data stores: each prepares its folder, then becomes the real server, so that the pid stays.
//!
//! Runs under a shim like any other replica; listens on 127.0.0.1 only; never touches what stands outside its
//! folder (but see [`folder`]). Blocking code on one thread: privileges are dropped for the thread that later
//! becomes the server.
//!
//! One file per store. To add one: a file with `run(&Arguments)`, a variant of [`Store`], an arm in [`run`].

mod folder;
mod nginx;
mod postgres;
pub(crate) mod programs;
mod user;
mod valkey;

use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::Context;
use clap::Subcommand;

/// Which store to become.
#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// A PostgreSQL primary.
    Postgres(postgres::PrimaryArguments),
    /// A streaming replica of a PostgreSQL primary.
    PostgresReplica(postgres::ReplicaArguments),
    /// Valkey, or Redis where there is no Valkey.
    Valkey(valkey::Arguments),
    /// The balancer in front of the services.
    Nginx(nginx::Arguments),
}

/// Becomes the store; returns only when that failed.
pub(crate) fn run(store: &Store) -> anyhow::Result<Infallible> {
    match store {
        Store::Postgres(arguments) => postgres::primary(arguments),
        Store::PostgresReplica(arguments) => postgres::replica(arguments),
        Store::Valkey(arguments) => valkey::run(arguments),
        Store::Nginx(arguments) => nginx::run(arguments),
    }
}

/// Says what is being done; standard error is the replica's log.
fn say(words: &str) {
    crate::output::note(words);
}

/// Replaces this process.
fn become_program(mut command: Command) -> anyhow::Result<Infallible> {
    let program = command.get_program().to_string_lossy().into_owned();
    Err(command.exec()).with_context(|| format!("could not run {program}"))
}
