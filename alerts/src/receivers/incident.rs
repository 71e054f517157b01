//! What tools that keep incidents are told beside the text: a severity in their words, links, the mark of a test.

use ops_contract::{NotificationStatus, NotifiedAlert};

use super::{Telling, page};

/// Marks what an operator asked for as a test, unless it already says so.
pub(super) fn marked(text: String, telling: &Telling<'_>) -> String {
    let says = text.starts_with("TEST ") || text.contains("[TEST]");
    if telling.test && !says { format!("[TEST] {text}") } else { text }
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
    all.into_iter().filter_map(|(text, href)| Some((text.to_owned(), page::address(href?)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{firing, map, resolved, telling};
    use super::*;

    #[test]
    fn a_test_is_marked_once() {
        let test = Telling { test: true, ..telling() };
        assert_eq!(marked(marked("x".to_owned(), &test), &test), "[TEST] x");
        assert_eq!(marked("TEST FIRING: x".to_owned(), &test), "TEST FIRING: x");
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
