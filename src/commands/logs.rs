//! `insightdesk logs`: what a service's replicas wrote.

use futures::stream::{self, StreamExt};
use ops_contract::{LogChunk, LogLine, LogStream, ServiceView};

use super::words;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::output::{self, Colour};

/// Arguments of `logs`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  insightdesk logs api                the last lines of all replicas of api\n  insightdesk logs api/0 -f           follow one replica\n  insightdesk logs worker --previous  how it ended before its last start"
)]
pub(crate) struct Arguments {
    /// A service, or one replica of it: `api`, `api/0`
    #[arg(value_name = "SERVICE[/SLOT]")]
    target: String,
    /// Follow new lines as they come
    #[arg(short, long)]
    follow: bool,
    /// How many of the last lines
    #[arg(short = 'n', long, default_value_t = 100, value_name = "N")]
    lines: u32,
    /// The log of the start before the present one
    #[arg(long, conflicts_with_all = ["generation", "follow"])]
    previous: bool,
    /// The log of this start
    #[arg(long, value_name = "N")]
    generation: Option<i64>,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let (service, slot) = target(&arguments.target)?;
    let client = Client::find(globals)?;
    let view: ServiceView = client.get(&format!("/api/services/{service}")).await?;
    let mut sources = Vec::new();
    for replica in view.replicas.iter().filter(|it| slot.is_none_or(|slot| it.slot == slot)) {
        let generation = match arguments.previous {
            true => Some(replica.state.generation - 1),
            false => arguments.generation,
        };
        let mut path =
            format!("/api/services/{service}/replicas/{}/logs?lines={}", replica.slot, arguments.lines);
        if let Some(generation) = generation {
            path.push_str(&format!("&generation={generation}"));
        }
        sources.push((format!("{service}/{}", replica.slot), path));
    }
    if sources.is_empty() {
        return Err(Failure::usage(format!(
            "{} has no replica: `insightdesk services {service}` lists them",
            arguments.target
        )));
    }
    if arguments.follow {
        follow(globals, &client, sources).await
    } else {
        read(globals, &client, sources).await
    }
}

/// The last lines of all, in the order of time.
async fn read(globals: &Globals, client: &Client, sources: Vec<(String, String)>) -> Result {
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    let several = sources.len() > 1;
    for (name, path) in sources {
        let chunk: LogChunk = client.get(&path).await?;
        problems.extend(chunk.error.map(|error| format!("{name}: {error}")));
        lines.extend(chunk.lines.into_iter().map(|line| (name.clone(), line)));
    }
    lines.sort_by_key(|(_, line)| line.at);
    for (name, line) in &lines {
        say(globals, name, line, several)?;
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::problems(problems.join("\n"))) }
}

async fn follow(globals: &Globals, client: &Client, sources: Vec<(String, String)>) -> Result {
    let several = sources.len() > 1;
    let mut streams = Vec::new();
    for (name, path) in sources {
        let chunks = client.follow(&format!("{path}&follow=true")).await?;
        streams.push(chunks.map(move |chunk| (name.clone(), chunk)).boxed());
    }
    let mut chunks = stream::select_all(streams);
    while let Some((name, chunk)) = chunks.next().await {
        let chunk = chunk?;
        for line in &chunk.lines {
            say(globals, &name, line, several)?;
        }
        if let Some(error) = chunk.error {
            output::note(&format!("{name}: {error}"));
        }
    }
    Ok(())
}

fn say(globals: &Globals, name: &str, line: &LogLine, several: bool) -> Result {
    if globals.json {
        let value = serde_json::json!({"replica": name, "at": words::moment(line.at), "stream": line.stream, "text": line.text});
        output::say(&value.to_string());
        return Ok(());
    }
    let at = output::paint(&words::moment(line.at), Colour::Grey);
    let mark = if line.stream == LogStream::Err { "!" } else { " " };
    let name = if several { format!(" {name}") } else { String::new() };
    output::say(&format!("{at}{name} {mark} {}", line.text));
    Ok(())
}

/// Takes `api` or `api/0` apart.
pub(super) fn target(text: &str) -> Result<(&str, Option<u16>)> {
    let wrong =
        || Failure::usage(format!("`{text}` is neither a service nor a replica: write `api` or `api/0`"));
    let (service, slot) = match text.split_once('/') {
        Some((service, slot)) => (service, Some(slot.parse().map_err(|_| wrong())?)),
        None => (text, None),
    };
    let plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-' || it == '_';
    if service.is_empty() || !service.chars().all(plain) { Err(wrong()) } else { Ok((service, slot)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_service_or_one_of_its_slots() {
        assert_eq!(target("api").ok(), Some(("api", None)));
        assert_eq!(target("postgres-main/0").ok(), Some(("postgres-main", Some(0))));
        for wrong in ["", "/0", "api/", "api/x", "api/0/1", "api?x=1", "../api", "api/70000"] {
            assert!(target(wrong).is_err_and(|it| it.kind as u8 == 2), "{wrong}");
        }
    }
}
