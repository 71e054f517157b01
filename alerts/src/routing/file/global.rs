//! The section `global`.

use std::time::Duration;

use super::node::{Is, Node};
use super::reader::Reader;
use crate::receivers::Globals;

/// As long as Alertmanager waits when nothing is said.
const RESOLVE_TIMEOUT: Duration = Duration::from_mins(5);
const KEYS: &[&str] = &[
    "resolve_timeout",
    "http_config",
    "jira_api_url",
    "smtp_from",
    "smtp_hello",
    "smtp_smarthost",
    "smtp_auth_username",
    "smtp_auth_password",
    "smtp_auth_password_file",
    "smtp_auth_secret",
    "smtp_auth_secret_file",
    "smtp_auth_identity",
    "smtp_require_tls",
    "smtp_tls_config",
    "smtp_force_implicit_tls",
    "slack_api_url",
    "slack_api_url_file",
    "slack_app_token",
    "slack_app_token_file",
    "slack_app_url",
    "pagerduty_url",
    "opsgenie_api_url",
    "opsgenie_api_key",
    "opsgenie_api_key_file",
    "wechat_api_url",
    "wechat_api_secret",
    "wechat_api_secret_file",
    "wechat_api_corp_id",
    "victorops_api_url",
    "victorops_api_key",
    "victorops_api_key_file",
    "telegram_api_url",
    "telegram_bot_token",
    "telegram_bot_token_file",
    "webex_api_url",
    "rocketchat_api_url",
    "rocketchat_token",
    "rocketchat_token_file",
    "rocketchat_token_id",
    "rocketchat_token_id_file",
    "mattermost_webhook_url",
    "mattermost_webhook_url_file",
];
/// A secret stands in the file or in a file of its own, not in both.
const EXCLUSIVE: &[&str] = &[
    "smtp_auth_password",
    "smtp_auth_secret",
    "slack_api_url",
    "slack_app_token",
    "opsgenie_api_key",
    "wechat_api_secret",
    "victorops_api_key",
    "telegram_bot_token",
    "rocketchat_token",
    "rocketchat_token_id",
    "mattermost_webhook_url",
];

/// Checks the section and hands it on to the integrations, which know what its values mean.
pub(super) fn read(reader: &mut Reader<'_>, root: &Node) -> Globals {
    let Some(node) = root.get("global").filter(|node| !matches!(node.is, Is::Null)) else {
        return Globals::default();
    };
    if !reader.keys(node, "global", KEYS) {
        return Globals::default();
    }
    for key in EXCLUSIVE {
        let other = format!("{key}_file");
        if let (Some(_), Some(there)) = (node.get(key), node.get(&other)) {
            let problem = format!("{key} and {other} are both there");
            reader.fault(there.line, "global", problem, "remove one of them");
        }
    }
    Globals { section: node.value() }
}

pub(super) fn resolve_timeout(reader: &mut Reader<'_>, root: &Node) -> Duration {
    let node = root.get("global").and_then(|node| node.get("resolve_timeout"));
    let ms = reader.duration(node, "global.resolve_timeout").and_then(|ms| u64::try_from(ms).ok());
    ms.map_or(RESOLVE_TIMEOUT, Duration::from_millis)
}
