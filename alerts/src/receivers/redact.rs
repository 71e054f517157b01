//! Keeps secrets out of what a receiver's answer is shown as: some say back what they were asked.

use super::settings::Secret;

/// Shorter texts are words, and hiding them would garble what is told.
const SHORTEST: usize = 6;
/// Shortest part of an address that is taken for a token.
const TOKEN: usize = 12;
const HIDDEN: &str = "[secret]";

/// The text without the secrets.
pub(super) fn hidden<'s>(text: &str, secrets: impl IntoIterator<Item = &'s Secret>) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for secret in secrets.into_iter().filter_map(|secret| secret.get().ok()) {
        parts.push(secret);
        // Of an address the path is what is usually said back, or a token that stands in it.
        if let Some((_, rest)) = secret.split_once("://") {
            parts.extend(rest.find('/').and_then(|at| rest.get(at..)));
            parts.extend(
                rest.split(['/', '?', '&', '=', '#', '@', ':']).skip(1).filter(|part| part.len() >= TOKEN),
            );
        }
    }
    // The longest first: no part of it stays when a shorter one was hidden in its middle.
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let mut text = text.to_owned();
    for part in parts.into_iter().filter(|part| part.len() >= SHORTEST) {
        text = text.replace(part, HIDDEN);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_back_is_hidden() {
        let secrets = [
            Secret::new("https://hooks.example/services/T0/k3yk3yk3yk3y?a=1"),
            Secret::new("password"),
            Secret::new("${NOT_SET}"),
            Secret::new("abc"),
            Secret::new(""),
        ];
        for (text, expected) in [
            ("Cannot POST /services/T0/k3yk3yk3yk3y?a=1", "Cannot POST [secret]"),
            ("no https://hooks.example/services/T0/k3yk3yk3yk3y?a=1!", "no [secret]!"),
            ("token k3yk3yk3yk3y is unknown", "token [secret] is unknown"),
            ("wrong password", "wrong [secret]"),
            ("abc ${NOT_SET} services", "abc ${NOT_SET} services"),
        ] {
            assert_eq!(hidden(text, &secrets), expected);
        }
    }

    #[test]
    fn no_kind_shows_what_it_was_told_in_confidence() {
        use super::super::samples::{judged, read};
        let said = "no such hook: /services/T0/k3yk3yk3yk3y, nor k3yk3yk3yk3y";
        for (kind, settings) in [
            (
                "slack_configs",
                serde_json::json!({"api_url": "https://hooks.example/services/T0/k3yk3yk3yk3y", "channel": "#a"}),
            ),
            ("slack_configs", serde_json::json!({"app_token": "k3yk3yk3yk3y", "channel": "#a"})),
            (
                "discord_configs",
                serde_json::json!({"webhook_url": "https://hooks.example/services/T0/k3yk3yk3yk3y"}),
            ),
            ("webhook_configs", serde_json::json!({"url": "https://hooks.example/services/T0/k3yk3yk3yk3y"})),
            ("pagerduty_configs", serde_json::json!({"routing_key": "k3yk3yk3yk3y"})),
            ("opsgenie_configs", serde_json::json!({"api_key": "k3yk3yk3yk3y"})),
            (
                "alertmanager_configs",
                serde_json::json!({"url": "https://am.example/services/T0/k3yk3yk3yk3y"}),
            ),
        ] {
            for status in [200, 400, 500] {
                let told = format!("{:?}", judged(&read(kind, &settings), status, said));
                assert!(!told.contains("k3yk3yk3yk3y") && told.contains("[secret]"), "{kind}: {told}");
            }
        }
    }
}
