//! `insightdesk silence`: mutes alerts for a while, and says what is muted.

use ops_contract::{MakeSilence, Page, SilenceStanding, SilenceView, Timestamp};
use serde_json::Value;

use super::{replay, words};
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::output;

/// What to do with silences.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Mute the alerts that all matchers match, for a while
    #[command(
        after_help = "A matcher is a label, one of = != =~ !~, and a value: severity=warning, alertname=~\"Queue.*\". A label that an alert lacks\ncounts as empty. Nobody is told of a muted alert; it is judged and shown all the same.\n\nExamples:\n  insightdesk silence add alertname=QueueBacklog --comment \"import runs\"\n  insightdesk silence add --service worker --for 30m --comment \"deploy\"\n  insightdesk silence add severity=warning 'team!=core' --start 2026-02-01T22:00:00Z --until 2026-02-02T02:00:00Z --comment \"maintenance\""
    )]
    Add(Add),
    /// List silences
    #[command(
        after_help = "Examples:\n  insightdesk silence list\n  insightdesk silence list --expired --json"
    )]
    List(List),
    /// End silences now
    #[command(after_help = "Examples:\n  insightdesk silence expire 0d2c9a3e-3a55-4a57-8a0e-0d4f4f1f6c11")]
    Expire(Ids),
    /// Show one silence
    #[command(after_help = "Examples:\n  insightdesk silence show 0d2c9a3e-3a55-4a57-8a0e-0d4f4f1f6c11")]
    Show(Id),
}

/// Arguments of `silence add`.
#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// What must hold of an alert's labels; all of them
    #[arg(value_name = "MATCHER", required_unless_present = "service")]
    matchers: Vec<String>,
    /// For how long, such as 30m or 2h [default: 2h]
    #[arg(long = "for", value_name = "TIME", value_parser = replay::seconds, conflicts_with = "until")]
    for_s: Option<f64>,
    /// Until when, such as 2026-02-01T22:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// From when on [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    start: Option<Timestamp>,
    /// Why
    #[arg(long)]
    comment: String,
    /// Only alerts of this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Mute even everything that fires
    #[arg(long)]
    yes: bool,
}

/// Arguments of `silence list`.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Those too that are over
    #[arg(long)]
    expired: bool,
}

/// Arguments of `silence expire`.
#[derive(Debug, clap::Args)]
pub(crate) struct Ids {
    /// Which ones
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
}

/// Arguments of `silence show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Id {
    /// Which one
    id: String,
}

pub(super) async fn run(globals: &Globals, command: &Command) -> Result {
    let client = Client::find(globals)?;
    match command {
        Command::Add(arguments) => add(globals, &client, arguments).await,
        Command::List(arguments) => list(globals, &client, arguments.expired).await,
        Command::Expire(arguments) => {
            for id in &arguments.ids {
                let ended: SilenceView = client.delete(&path(id)).await?;
                say(globals, &ended)?;
            }
            Ok(())
        }
        Command::Show(arguments) => say(globals, &client.get(&path(&arguments.id)).await?),
    }
}

async fn add(globals: &Globals, client: &Client, arguments: &Add) -> Result {
    let request = request(arguments, words::now());
    let made: Value = client.post("/api/silences", &request).await?;
    let made: SilenceView = serde_json::from_value(made)
        .map_err(|error| Failure::problems(format!("the server's answer cannot be read: {error}")))?;
    say(globals, &made)
}

fn request(arguments: &Add, now: Timestamp) -> MakeSilence {
    let mut matchers = arguments.matchers.clone();
    // JSON's quotes are those of matchers.
    matchers.extend(arguments.service.as_ref().map(|it| format!("service={}", Value::from(it.as_str()))));
    let length = std::time::Duration::try_from_secs_f64(arguments.for_s.unwrap_or(7_200.0));
    let ends_at = arguments.start.unwrap_or(now) + length.unwrap_or(std::time::Duration::from_hours(10_000));
    MakeSilence {
        matchers,
        starts_at: arguments.start,
        ends_at: arguments.until.unwrap_or(ends_at),
        comment: arguments.comment.clone(),
        confirm: arguments.yes,
    }
}

async fn list(globals: &Globals, client: &Client, expired: bool) -> Result {
    let mut all: Vec<SilenceView> = Vec::new();
    let mut next = String::new();
    loop {
        let page: Page<SilenceView> =
            client.get(&format!("/api/silences?limit=200&expired={expired}{next}")).await?;
        all.extend(page.items);
        match page.next {
            Some(key) => next = format!("&before={key}"),
            None => break,
        }
    }
    if globals.json {
        return output::json(&all);
    }
    if all.is_empty() {
        output::say("nothing is silenced");
        return Ok(());
    }
    let mut table = output::table(&["id", "state", "matchers", "from", "until", "mutes now", "by", "why"]);
    for it in &all {
        table.add_row(vec![
            it.silence.id.clone(),
            state(it.state).to_owned(),
            matchers(it),
            words::moment(it.silence.starts_at),
            words::moment(it.silence.ends_at),
            it.mutes_now.to_string(),
            it.silence.created_by.clone(),
            it.silence.comment.clone(),
        ]);
    }
    output::say_table(&table);
    Ok(())
}

fn say(globals: &Globals, it: &SilenceView) -> Result {
    if globals.json {
        return output::json(it);
    }
    let (id, ends_at) = (&it.silence.id, words::moment(it.silence.ends_at));
    output::say(&match it.state {
        SilenceStanding::Pending => {
            format!("{id} begins {} and ends {ends_at}", words::moment(it.silence.starts_at))
        }
        SilenceStanding::Active => {
            let noun = if it.mutes_now == 1 { "alert that fires" } else { "alerts that fire" };
            format!("{id} mutes {} {noun} now, and ends {ends_at}", it.mutes_now)
        }
        SilenceStanding::Expired => format!("{id} is over since {ends_at}"),
    });
    output::say(&format!("{}  by {}: {}", matchers(it), it.silence.created_by, it.silence.comment));
    Ok(())
}

fn matchers(it: &SilenceView) -> String {
    it.silence.matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn state(state: SilenceStanding) -> &'static str {
    match state {
        SilenceStanding::Pending => "◔ pending",
        SilenceStanding::Active => "‖ active",
        SilenceStanding::Expired => "● over",
    }
}

fn path(id: &str) -> String {
    let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("/api/silences/{id}")
}

fn moment(text: &str) -> std::result::Result<Timestamp, String> {
    let at: jiff::Timestamp =
        text.parse().map_err(|_| "write a time such as 2026-02-01T22:00:00Z".to_owned())?;
    Ok(Timestamp(at.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_lasts_two_hours_from_its_start_unless_told() {
        let mut arguments = Add {
            matchers: vec!["a=b".to_owned()],
            for_s: None,
            until: None,
            start: None,
            comment: "why".to_owned(),
            service: Some("wor\"ker".to_owned()),
            yes: false,
        };
        let asked = request(&arguments, Timestamp(5));
        assert_eq!(asked.ends_at, Timestamp(7_200_000_005));
        assert_eq!(asked.matchers, ["a=b", "service=\"wor\\\"ker\""]);
        arguments.start = Some(Timestamp(1_000_000));
        arguments.for_s = Some(1.0);
        assert_eq!(request(&arguments, Timestamp(5)).ends_at, Timestamp(2_000_000));
        arguments.until = moment("1970-01-01T00:00:09Z").ok();
        assert_eq!(request(&arguments, Timestamp(5)).ends_at, Timestamp(9_000_000));
        assert!(moment("tomorrow").is_err());
    }
}
