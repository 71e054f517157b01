//! What a page says in our own words: the facts of a notification in the order in which somebody reads them who was just
//! woken. The kinds for people write it in their own markup.

mod facts;
mod markup;
#[cfg(test)]
pub(crate) mod tests;

use ops_contract::{Notification, NotificationReason, NotificationStatus};

use super::Telling;
use facts::Told;
pub(super) use facts::{Grade, grade, spoken, utc};
pub(super) use markup::{Markup, address, cut};

/// Alerts that are told in full; of more their number is said.
const IN_FULL: usize = 10;
/// Longest texts in characters that templates take: what somebody reads on a phone, what Discord takes, and others.
const SLACK_TEXT: usize = 6_000;
const DISCORD_TEXT: usize = 4096;
const PLAIN_TEXT: usize = 15_000;
/// Longest title in characters: what a lock screen shows.
const TITLE: usize = 200;

/// One line: state, what is broken and what tells it apart, how bad it is. Plain text.
pub(super) fn title(note: &Notification, telling: &Telling<'_>) -> String {
    let firing = note.alerts.iter().filter(|it| it.status == NotificationStatus::Firing).count();
    let state = match note.status {
        NotificationStatus::Firing => "FIRING",
        NotificationStatus::Resolved => "RESOLVED",
    };
    let counted = match note.status {
        NotificationStatus::Firing => firing,
        NotificationStatus::Resolved => note.alerts.len(),
    } as u64
        + note.truncated;
    let mut title = if telling.test { "TEST ".to_owned() } else { String::new() };
    title.push_str(state);
    if counted > 1 {
        title.push_str(&format!(" {counted}"));
    }
    title.push_str(": ");
    title.push_str(&facts::subject(note));
    let severity = facts::worst(note);
    if !severity.is_empty() {
        title.push_str(&format!(" [{severity}]"));
    }
    cut(&spoken(&title), TITLE)
}

/// All that is known, in at most `most` characters: the alerts one by one, then what can be done.
pub(super) fn text(note: &Notification, telling: &Telling<'_>, markup: Markup, most: usize) -> String {
    let lead = lead(note, telling, markup);
    let tail = tail(note, telling, markup);
    // Room for "… and 18446744073709551615 more" and what separates the blocks.
    let mut room =
        most.saturating_sub(lead.chars().count()).saturating_sub(tail.chars().count()).saturating_sub(60);
    let mut blocks: Vec<String> = if lead.is_empty() { Vec::new() } else { vec![lead] };
    let mut told = 0;
    for alert in note.alerts.iter().take(IN_FULL) {
        let alert = Told::new(alert, telling);
        let (full, short) = (alert.full(markup), alert.short(markup));
        let Some(block) = [full, short].into_iter().find(|it| it.chars().count() + 2 <= room) else { break };
        room -= block.chars().count() + 2;
        blocks.push(block);
        told += 1;
    }
    let more = (note.alerts.len() - told) as u64 + note.truncated;
    if more > 0 {
        blocks.push(format!("… and {more} more"));
    }
    if !tail.is_empty() {
        blocks.push(tail);
    }
    blocks.join(&markup.line_break().repeat(2))
}

/// [`title`] or [`text`] in the markup of this name, for templates; the other arguments are what they take.
pub(crate) fn page_title(kind: &str, note: &Notification, telling: &Telling<'_>) -> Option<String> {
    Some(Markup::named(kind)?.escape(&title(note, telling)))
}

/// See [`page_title`].
pub(crate) fn page_text(kind: &str, note: &Notification, telling: &Telling<'_>) -> Option<String> {
    Some(match Markup::named(kind)? {
        Markup::Html => super::email::look::html(note, telling),
        Markup::Slack => text(note, telling, Markup::Slack, SLACK_TEXT),
        Markup::Discord => text(note, telling, Markup::Discord, DISCORD_TEXT),
        Markup::Plain => text(note, telling, Markup::Plain, PLAIN_TEXT),
    })
}

/// The text so that nothing in it is HTML.
pub(crate) fn escape_html(text: &str) -> String {
    Markup::Html.escape_all(text)
}

/// The text so that nothing in it is markup for Slack, but for web links in Slack's own form.
pub(crate) fn escape_slack(text: &str) -> String {
    markup::keeping_links(text)
}

/// What is special about this message.
fn lead(note: &Notification, telling: &Telling<'_>, markup: Markup) -> String {
    let said = if telling.test {
        "This is a test: nothing is broken."
    } else {
        match note.reason {
            NotificationReason::Escalation => "Nobody has acknowledged this yet: it is now yours.",
            NotificationReason::Fallback => {
                "Another receiver refused this message: you are told in its place."
            }
            NotificationReason::Repeat => "Still firing.",
            NotificationReason::NewAlerts => "More has broken since the last message.",
            NotificationReason::SomeResolved => "Some of it has resolved.",
            _ => return String::new(),
        }
    };
    markup.bold(&markup.escape(said))
}

/// What can be done.
fn tail(note: &Notification, telling: &Telling<'_>, markup: Markup) -> String {
    let mut links = Vec::new();
    if let Some(url) = telling.ack_url.filter(|_| note.status == NotificationStatus::Firing) {
        links.push(markup.link("Acknowledge", url));
    }
    links.push(markup.link("Open InsightDesk", telling.external_url));
    links.into_iter().flatten().collect::<Vec<_>>().join(markup.between_links())
}
