//! Changes a queue. What touches many jobs shows their number first, asks, and is refused by the server if the number is no
//! longer about true.

use std::io::{BufRead, IsTerminal, Write};

use ops_contract::QueueView;
use serde_json::{Value, json};

use super::which::Which;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::output;

/// Arguments of `queues pause` and `queues resume`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Nothing is lost and nothing is stopped: jobs that run end, jobs that are added wait.\n\nExamples:\n  insightdesk queues pause email --reason 'the relay is away'\n  insightdesk queues resume email"
)]
pub(super) struct Gate {
    /// The queue: `email`, `valkey.main/email`
    queue: String,
    /// Why; stands in the list of changes
    #[arg(long)]
    reason: Option<String>,
}

/// Arguments of `queues retry` and `queues promote`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The oldest go first. A number that is no longer about true when it comes to it is refused: look again.\n\nExamples:\n  insightdesk queues retry email                     shows how many, and asks\n  insightdesk queues retry email --limit 100 --yes   the first hundred, without asking\n  insightdesk queues promote email"
)]
pub(super) struct Move {
    /// The queue: `email`, `valkey.main/email`
    queue: String,
    /// How many jobs at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    #[command(flatten)]
    sure: Sure,
}

/// Arguments of `queues drain`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What is removed is gone: there is no undo. Running, completed and failed jobs stay, and the next job of a schedule.\n\nExamples:\n  insightdesk queues drain email             shows how many wait, and asks\n  insightdesk queues drain email --delayed   those that are not due yet, too"
)]
pub(super) struct Drain {
    /// The queue: `email`, `valkey.main/email`
    queue: String,
    /// Those that are not due yet, too
    #[arg(long)]
    delayed: bool,
    #[command(flatten)]
    sure: Sure,
}

/// Whether to ask, and why it is done.
#[derive(Debug, clap::Args)]
struct Sure {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Why; stands in the list of changes
    #[arg(long)]
    reason: Option<String>,
}

pub(super) async fn pause(globals: &Globals, client: &Client, gate: &Gate) -> Result {
    let which = Which::find(client, &gate.queue).await?;
    let answer = client.post(&which.path(&["pause"])?, &json!({ "reason": gate.reason })).await?;
    say(globals, &answer, |done| match done {
        0 => format!("{} was paused already", which.queue),
        _ => format!("{} is paused; `insightdesk queues resume {}` ends it", which.queue, gate.queue),
    })
}

pub(super) async fn resume(globals: &Globals, client: &Client, gate: &Gate) -> Result {
    let which = Which::find(client, &gate.queue).await?;
    let answer = client.post(&which.path(&["resume"])?, &json!({ "reason": gate.reason })).await?;
    say(globals, &answer, |done| match done {
        0 => format!("{} was not paused", which.queue),
        _ => format!("{} is resumed", which.queue),
    })
}

pub(super) async fn retry(globals: &Globals, client: &Client, wanted: &Move) -> Result {
    let which = Which::find(client, &wanted.queue).await?;
    let there = which.look(client).await?.sample.failed;
    let what = Many { there, limit: wanted.limit, jobs: "failed jobs", fate: "are put back in line" };
    let Some(body) = what.body(globals, &which, &wanted.sure)? else { return Ok(()) };
    let answer = client.post(&which.path(&["retry"])?, &body).await?;
    say(globals, &answer, |done| format!("{done} failed jobs of {} are back in line", which.queue))
}

pub(super) async fn promote(globals: &Globals, client: &Client, wanted: &Move) -> Result {
    let which = Which::find(client, &wanted.queue).await?;
    let there = which.look(client).await?.sample.delayed;
    let what = Many { there, limit: wanted.limit, jobs: "delayed jobs", fate: "run now" };
    let Some(body) = what.body(globals, &which, &wanted.sure)? else { return Ok(()) };
    let answer = client.post(&which.path(&["promote"])?, &body).await?;
    say(globals, &answer, |done| format!("{done} delayed jobs of {} may run now", which.queue))
}

pub(super) async fn drain(globals: &Globals, client: &Client, wanted: &Drain) -> Result {
    let which = Which::find(client, &wanted.queue).await?;
    let there = waits(&which.look(client).await?, wanted.delayed);
    let jobs = if wanted.delayed { "waiting and delayed jobs" } else { "waiting jobs" };
    let what = Many { there, limit: None, jobs, fate: "are removed for good" };
    let Some(mut body) = what.body(globals, &which, &wanted.sure)? else { return Ok(()) };
    body["delayed"] = json!(wanted.delayed);
    let answer = client.post(&which.path(&["drain"])?, &body).await?;
    say(globals, &answer, |done| format!("{done} {jobs} of {} are removed", which.queue))
}

fn waits(queue: &QueueView, delayed: bool) -> u64 {
    let sample = &queue.sample;
    sample.waiting + sample.prioritized + if delayed { sample.delayed } else { 0 }
}

/// Many jobs that something is to happen to.
struct Many {
    there: u64,
    limit: Option<u64>,
    jobs: &'static str,
    fate: &'static str,
}

impl Many {
    /// What to ask the server, once the operator is sure; nothing when there is nothing to do.
    fn body(&self, globals: &Globals, which: &Which, sure: &Sure) -> Result<Option<Value>> {
        if self.there == 0 {
            let nothing = json!({ "done": 0, "jobs": [], "more": false });
            say(globals, &nothing, |_| format!("{} has no {}", which.queue, self.jobs))?;
            return Ok(None);
        }
        let question = self.question(&which.queue);
        if !sure.yes {
            ask(&question)?;
        }
        Ok(Some(json!({ "limit": self.limit, "expect": self.there, "reason": sure.reason })))
    }

    fn question(&self, queue: &str) -> String {
        let (there, jobs, fate) = (self.there, self.jobs, self.fate);
        match self.limit {
            Some(limit) if limit < there => format!("{queue} has {there} {jobs}; {limit} of them {fate}"),
            _ => format!("{queue} has {there} {jobs}; they {fate}"),
        }
    }
}

/// Has the operator agree on a terminal.
fn ask(question: &str) -> Result {
    let (stdin, mut stderr) = (std::io::stdin(), std::io::stderr());
    if !stdin.is_terminal() || !stderr.is_terminal() {
        return Err(Failure::usage(format!("{question}. Nobody can be asked here: add --yes to do it")));
    }
    let _ = write!(stderr, "{question}. Go on? [y/N] ");
    let _ = stderr.flush();
    let mut answer = String::new();
    let _ = stdin.lock().read_line(&mut answer);
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::problems("nothing was done")),
    }
}

fn say(globals: &Globals, answer: &Value, words: impl Fn(u64) -> String) -> Result {
    if globals.json {
        return output::json(answer);
    }
    let more = if answer["more"] == true { "; more are left" } else { "" };
    output::say(&format!("{}{more}", words(answer["done"].as_u64().unwrap_or_default())));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_says_how_many_of_how_many_and_what_becomes_of_them() {
        let what = |limit| Many { there: 2_500, limit, jobs: "failed jobs", fate: "are put back in line" };
        assert_eq!(what(None).question("email"), "email has 2500 failed jobs; they are put back in line");
        assert_eq!(
            what(Some(9)).question("email"),
            "email has 2500 failed jobs; 9 of them are put back in line"
        );
        assert_eq!(
            what(Some(9_999)).question("email"),
            "email has 2500 failed jobs; they are put back in line"
        );
    }
}
