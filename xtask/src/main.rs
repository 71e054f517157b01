//! Regenerates what is checked in. `cargo xtask` without a word says what it can do.
//!
//! To add one: a function, an arm in [`main`], a line in [`HELP`], and a test beside the source that compares.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, bail};

const HELP: &str = "\
cargo xtask reference   write docs/cli.md, docs/openapi.json and .env.example anew
cargo xtask cli         write docs/cli.md anew
cargo xtask openapi     write docs/openapi.json anew
cargo xtask env         write .env.example anew";

fn main() -> ExitCode {
    let word = std::env::args().nth(1);
    let result = match word.as_deref() {
        Some("reference") => cli().and_then(|()| env()).and_then(|()| openapi()),
        Some("cli") => cli(),
        Some("openapi") => openapi(),
        Some("env") => env(),
        _ => {
            say(HELP);
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The program prints its own reference.
fn cli() -> anyhow::Result<()> {
    print_to("docs/cli.md", &["reference"])
}

/// The commented environment file.
fn env() -> anyhow::Result<()> {
    print_to(".env.example", &["env", "example"])
}

/// The server's test of the document writes it when asked to.
fn openapi() -> anyhow::Result<()> {
    let mut command = cargo();
    command
        .args(["test", "--quiet", "--package", "ops-server", "the_checked_in_document"])
        .env("UPDATE_EXPECT", "1");
    let status = command.current_dir(root()).stdout(Stdio::null()).status().context("could not run cargo")?;
    if !status.success() {
        bail!(
            "the test that writes docs/openapi.json failed: run `UPDATE_EXPECT=1 cargo test --package ops-server the_checked_in_document`"
        );
    }
    Ok(())
}

fn print_to(file: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "insightdesk", "--"]).args(arguments);
    let output =
        command.current_dir(root()).stderr(Stdio::inherit()).output().context("could not run cargo")?;
    if !output.status.success() {
        bail!("`insightdesk {}` failed: {}", arguments.join(" "), output.status);
    }
    let path = root().join(file);
    std::fs::write(&path, output.stdout).with_context(|| format!("could not write {file}"))
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn root() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.parent().unwrap_or(folder).to_owned()
}

#[expect(clippy::print_stderr, reason = "a tool for the terminal")]
fn say(words: &str) {
    eprintln!("{words}");
}
