//! Texts without templates: what is told when a template is missing or fails, because a page must not be lost with it.

use ops_contract::{Notification, NotificationStatus, NotifiedAlert};

use super::Telling;

/// Fills a template in; when that fails or nothing comes of it, the page goes out with the other text.
pub(super) fn filled_or(
    template: &str,
    note: &Notification,
    telling: &Telling<'_>,
    otherwise: impl FnOnce() -> String,
) -> String {
    let text = telling.templates.render(template, false, note, telling).unwrap_or_default();
    match text.trim() {
        "" => otherwise(),
        text => text.to_owned(),
    }
}

/// Fills in a setting that may be absent. One that fails or is empty is left out.
pub(super) fn filled(template: Option<&str>, note: &Notification, telling: &Telling<'_>) -> Option<String> {
    Some(filled_or(template?, note, telling, String::new)).filter(|text| !text.is_empty())
}

/// State, name and what is wrong: `[FIRING:2] ReplicaDown: api/0 is down and 1 more`.
pub(super) fn subject(note: &Notification) -> String {
    let firing = note.alerts.iter().filter(|alert| alert.status == NotificationStatus::Firing).count() as u64;
    let state = match note.status {
        NotificationStatus::Firing => format!("[FIRING:{}]", firing + note.truncated),
        NotificationStatus::Resolved => "[RESOLVED]".to_owned(),
    };
    let Some(alert) = note.alerts.first() else { return state };
    let more = match (note.alerts.len() as u64 - 1) + note.truncated {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{state} {}{more}", sentence(alert))
}

/// Name and what is wrong with what: `ReplicaDown: api/0 is down`.
fn sentence(alert: &NotifiedAlert) -> String {
    let name = alert.labels.get("alertname").map_or("Alert", String::as_str);
    let said = ["summary", "description", "message"].iter().find_map(|key| alert.annotations.get(*key));
    match said {
        Some(said) => format!("{name}: {said}"),
        None => {
            let labels = alert.labels.iter().filter(|(label, _)| *label != "alertname");
            let labels: Vec<String> = labels.map(|(label, value)| format!("{label}={value}")).collect();
            format!("{name} ({})", labels.join(" "))
        }
    }
}

/// Marks what an operator asked for as a test, unless it already says so.
pub(super) fn marked(text: String, telling: &Telling<'_>) -> String {
    if telling.test && !text.contains("[TEST]") { format!("[TEST] {text}") } else { text }
}

/// At most so many characters; the last says that something is missing.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// The severity in PagerDuty's four words, of which the other tools know what they need.
pub(super) fn severity(word: &str) -> &'static str {
    match word.trim().to_ascii_lowercase().as_str() {
        "critical" | "crit" | "page" | "fatal" | "emergency" | "disaster" | "p1" => "critical",
        "warning" | "warn" | "minor" | "medium" | "moderate" | "ticket" | "p3" => "warning",
        "info" | "information" | "informational" | "notice" | "low" | "none" | "debug" | "p4" | "p5" => {
            "info"
        }
        _ => "error",
    }
}

/// Links that belong to an alert: text and address.
pub(super) fn links(alert: &NotifiedAlert, telling: &Telling<'_>) -> Vec<(String, String)> {
    let annotation = |name: &str| alert.annotations.get(name).map(String::as_str);
    let firing = alert.status == NotificationStatus::Firing;
    let all = [
        ("Acknowledge", telling.ack_url.filter(|_| firing)),
        ("Runbook", annotation("runbook_url").or(annotation("runbook"))),
        ("Dashboard", annotation("dashboard_url").or(annotation("dashboard"))),
        ("Expression", Some(alert.generator_url.as_str())),
    ];
    let linked = all.into_iter().filter_map(|(text, href)| Some((text.to_owned(), href?.to_owned())));
    linked.filter(|(_, href)| is_link(href)).collect()
}

/// Whether it is an address that people can follow.
pub(super) fn is_link(href: &str) -> bool {
    href.starts_with("https://") || href.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::super::samples::{firing, map, note, resolved, telling};
    use super::*;

    #[test]
    fn the_subject_says_what_is_wrong_with_how_many() {
        assert_eq!(subject(&note(vec![firing()])), "[FIRING:1] ReplicaDown: api/0 is down");
        assert_eq!(subject(&note(vec![resolved()])), "[RESOLVED] ReplicaDown: api/1 is down");
        let mut many = note(vec![firing(), resolved()]);
        many.truncated = 3;
        assert_eq!(subject(&many), "[FIRING:4] ReplicaDown: api/0 is down and 4 more");
        assert_eq!(subject(&note(Vec::new())), "[RESOLVED]");
        let mut bare = firing();
        bare.annotations = map(&[]);
        let expected = "[FIRING:1] ReplicaDown (replica=api/0 severity=critical)";
        assert_eq!(subject(&note(vec![bare])), expected);
    }

    #[test]
    fn texts_are_cut_at_characters_and_marked_once() {
        assert_eq!((cut("äöü", 3), cut("äöüß", 3), cut("", 0)), ("äöü".into(), "äö…".into(), String::new()));
        let test = Telling { test: true, ..telling() };
        assert_eq!(marked(marked("x".to_owned(), &test), &test), "[TEST] x");
        assert_eq!(marked("x".to_owned(), &telling()), "x");
    }

    #[test]
    fn the_links_are_those_that_can_be_followed() {
        let texts =
            |links: Vec<(String, String)>| links.into_iter().map(|(text, _)| text).collect::<Vec<_>>();
        assert_eq!(texts(links(&firing(), &telling())), ["Acknowledge", "Runbook", "Expression"]);
        assert_eq!(texts(links(&resolved(), &telling())), ["Runbook", "Expression"]);
        let mut alert = firing();
        alert.annotations = map(&[("runbook_url", "javascript:alert(1)"), ("dashboard_url", "http://d")]);
        alert.generator_url = String::new();
        assert_eq!(texts(links(&alert, &telling())), ["Acknowledge", "Dashboard"]);
    }

    #[test]
    fn severities_of_many_dialects_are_understood() {
        for (word, expected) in [
            ("critical", "critical"),
            (" Page ", "critical"),
            ("high", "error"),
            ("", "error"),
            ("WARNING", "warning"),
            ("none", "info"),
        ] {
            assert_eq!(severity(word), expected, "{word}");
        }
    }
}
