//! Looks at jobs. What they carry comes redacted; who looked at which job is written down by the control plane.

use clap::ValueEnum;
use comfy_table::Cell;
use ops_contract::{Page, QueueJob, Timestamp};

use super::which::Which;
use crate::cli::Globals;
use crate::client::Client;
use crate::commands::words;
use crate::failure::Result;
use crate::output::{self, Colour};

/// Arguments of `queues jobs`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  insightdesk queues jobs email\n  insightdesk queues jobs email --state delayed -n 100\n  insightdesk queues jobs email --json | jq -r '.items[].failed_reason' | sort | uniq -c"
)]
pub(super) struct List {
    /// The queue: `email`, `valkey.main/email`
    queue: String,
    /// Jobs of this state
    #[arg(long, value_enum, default_value = "failed")]
    state: State,
    /// How many at most, up to 100
    #[arg(short = 'n', long, default_value_t = 25, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: u32,
    /// The `next` of the page before
    #[arg(long, value_name = "NEXT")]
    before: Option<u64>,
}

/// Arguments of `queues job`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Data under keys that name secrets or persons is replaced, and so are the stack's own secrets; what is long is cut.\nThe control plane keeps none of it, only who looked at which job and when.\n\nExamples:\n  insightdesk queues job email 4711\n  insightdesk queues job email 4711 --json | jq -r '.data | fromjson'"
)]
pub(super) struct One {
    /// The queue: `email`, `valkey.main/email`
    queue: String,
    /// The job's id
    id: String,
}

/// States that can be listed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    Waiting,
    Prioritized,
    Active,
    Delayed,
    WaitingChildren,
    Completed,
    Failed,
}

impl State {
    /// As the API writes it.
    fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Prioritized => "prioritized",
            Self::Active => "active",
            Self::Delayed => "delayed",
            Self::WaitingChildren => "waiting_children",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

pub(super) async fn list(globals: &Globals, client: &Client, wanted: &List) -> Result {
    let which = Which::find(client, &wanted.queue).await?;
    let path = which.path(&["jobs"])?;
    let before = wanted.before.map_or_else(String::new, |it| format!("&before={it}"));
    let path = format!("{path}?state={}&limit={}{before}", wanted.state.word(), wanted.limit);
    let page: Page<QueueJob> = client.get(&path).await?;
    if globals.json {
        return output::json(&page);
    }
    if page.items.is_empty() {
        output::say(&format!("{} has no {} jobs", which.queue, wanted.state.word().replace('_', " ")));
        return Ok(());
    }
    let mut table = output::table(&["job", "name", "attempts", "added", "ended", "why"]);
    for job in &page.items {
        table.add_row(vec![
            Cell::new(&job.id),
            Cell::new(&job.name),
            Cell::new(attempts(job)),
            Cell::new(ago(job.added_at)),
            Cell::new(ago(job.finished_at)),
            Cell::new(first_line(job.failed_reason.as_deref().unwrap_or_default())),
        ]);
    }
    output::say_table(&table);
    if let Some(next) = &page.next {
        output::note(&format!("there are more: add --before {next}"));
    }
    Ok(())
}

pub(super) async fn one(globals: &Globals, client: &Client, wanted: &One) -> Result {
    let which = Which::find(client, &wanted.queue).await?;
    let job: QueueJob = client.get(&which.path(&["jobs", &wanted.id])?).await?;
    if globals.json {
        return output::json(&job);
    }
    output::say(&format!(
        "{}/{} {}: {}, attempts {}",
        which.queue,
        plain(&job.id),
        plain(&job.name),
        job.state,
        attempts(&job)
    ));
    for (word, at) in [("added", job.added_at), ("started", job.started_at), ("ended", job.finished_at)] {
        if let Some(at) = at {
            let since = output::paint(&format!("{} ago", words::ago(at)), Colour::Grey);
            output::say(&format!("  {word:<8} {} {since}", words::moment(at)));
        }
    }
    if let Some(reason) = &job.failed_reason {
        output::say(&format!("  {}   {}", output::paint("failed", Colour::Red), plain(reason)));
    }
    for (number, trace) in job.stack.iter().enumerate() {
        output::say(&format!("\nstack {}", number + 1));
        for line in trace.lines() {
            output::say(&format!("  {}", plain(line)));
        }
    }
    output::say(&format!("\ndata, redacted\n{}", indented(job.data.as_deref().unwrap_or("null"))));
    Ok(())
}

/// `2/3`: of how many.
fn attempts(job: &QueueJob) -> String {
    match job.attempts {
        Some(most) => format!("{}/{most}", job.attempts_made),
        None => job.attempts_made.to_string(),
    }
}

fn ago(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "–".to_owned(), words::ago)
}

fn first_line(text: &str) -> String {
    plain(text.lines().next().unwrap_or_default())
}

/// What somebody put into a job must not steer the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { '·' } else { it }).collect()
}

/// JSON with a field a line; control characters are escaped in it already.
fn indented(data: &str) -> String {
    let value = serde_json::from_str::<serde_json::Value>(data);
    let text = value.and_then(|it| serde_json::to_string_pretty(&it)).unwrap_or_else(|_| plain(data));
    text.lines().map(|line| format!("  {line}\n")).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_jobs_say_cannot_steer_the_terminal() {
        assert_eq!(first_line("\x1b[31mred\x07\nsecond"), "·[31mred·");
        assert_eq!(indented(r#"{"a":"\u001b[0m"}"#), "  {\n    \"a\": \"\\u001b[0m\"\n  }");
        assert_eq!(indented("no\x1bjson"), "  no·json");
    }
}
