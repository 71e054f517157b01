//! Reads the settings of Slack's kind.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Action, Field, Slack, Target, Texts};
use crate::receivers::http::{Http, check_url};
use crate::receivers::settings::{Secret, Settings};
use crate::receivers::{Globals, Kind, Wrong};

/// Where an app's token posts.
pub(super) const POST_MESSAGE: &str = "https://slack.com/api/chat.postMessage";
/// Most fields and buttons.
const MOST_FIELDS: usize = 50;
const MOST_ACTIONS: usize = 5;
/// Settings that are templates and go into the attachment under their own name, left out where they fail or are empty.
const PLAIN: [&str; 5] = ["pretext", "callback_id", "image_url", "thumb_url", "footer"];
const MESSAGE: [&str; 3] = ["username", "icon_emoji", "icon_url"];
const FIELD: [&str; 2] = ["title", "value"];
const ACTION: [&str; 6] = ["type", "text", "url", "style", "name", "value"];
const CONFIRM: [&str; 4] = ["title", "text", "ok_text", "dismiss_text"];

pub(in crate::receivers) fn read(settings: &Value, globals: &Globals) -> Result<Arc<dyn Kind>, Vec<Wrong>> {
    let settings = Settings::new(settings, &globals.section);
    let target = target(&settings);
    let short_fields = settings.flag("short_fields", false);
    let slack = Slack {
        target,
        http: Http::read(&settings),
        send_resolved: settings.flag("send_resolved", false),
        channel: settings.secret("channel"),
        message: texts(&settings, &MESSAGE),
        plain: texts(&settings, &PLAIN),
        title: settings.text("title"),
        title_link: settings.text("title_link"),
        text: settings.text("text"),
        message_text: settings.text("message_text"),
        fallback: settings.text("fallback"),
        color: settings.text("color"),
        mrkdwn_in: settings.texts("mrkdwn_in"),
        link_names: settings.flag("link_names", false),
        fields: entries(&settings, "fields", MOST_FIELDS, |it| Field {
            texts: texts(it, &FIELD),
            short: it.flag("short", short_fields),
        }),
        actions: entries(&settings, "actions", MOST_ACTIONS, |it| Action {
            texts: texts(it, &ACTION),
            confirm: it.within("confirm", |it| texts(it, &CONFIRM)),
        }),
        remarks: Vec::new(),
    };
    settings.not_used(&["update_message"]);
    let remarks = settings.finish()?;
    Ok(Arc::new(Slack { remarks, ..slack }))
}

fn target(settings: &Settings<'_>) -> Target {
    for key in ["api_url_file", "app_token_file"] {
        if settings.value(key).is_some() {
            settings
                .remark(format!("{key} is not read here: write {} with ${{NAME}}", key.replace("_file", "")));
        }
    }
    let (url, token) = (settings.secret("api_url"), settings.secret("app_token"));
    let app_url = settings.secret_or_global("app_url", "slack_app_url");
    if url.is_some() && token.is_some() {
        let problem = "api_url and app_token are both there".to_owned();
        settings.wrong("app_token", problem, "keep one of them");
    }
    let token = match url {
        None => token.or_else(|| settings.secret_or_global("app_token", "slack_app_token")),
        Some(_) => token,
    };
    if let Some(token) = token {
        if settings.value("channel").is_none() {
            settings.wrong("channel", "is missing: a token says no channel".to_owned(), "write '#alerts'");
        }
        let url = app_url.unwrap_or_else(|| Secret::new(POST_MESSAGE));
        check_url(settings, "app_url", &url);
        return Target::App { url, token };
    }
    let url = url.or_else(|| settings.secret_or_global("api_url", "slack_api_url"));
    match &url {
        Some(url) => check_url(settings, "api_url", url),
        None => settings.wrong(
            "api_url",
            "is missing".to_owned(),
            "write the address of Slack's incoming webhook here, or slack_api_url under global",
        ),
    }
    Target::Webhook(url.unwrap_or_else(|| Secret::new("")))
}

fn texts(settings: &Settings<'_>, keys: &[&'static str]) -> Texts {
    keys.iter().filter_map(|key| Some((*key, settings.text(key)?))).collect()
}

/// A list of maps.
fn entries<T>(settings: &Settings<'_>, key: &str, most: usize, read: impl Fn(&Settings<'_>) -> T) -> Vec<T> {
    let Some(value) = settings.value(key).cloned() else { return Vec::new() };
    let Value::Array(list) = value else {
        settings.wrong(key, "is not a list".to_owned(), "write a list of maps");
        return Vec::new();
    };
    if list.len() > most {
        settings.wrong(key, format!("has {} entries, more than {most}", list.len()), "remove some");
    }
    let mut all = Vec::new();
    for (at, entry) in list.iter().take(most).enumerate() {
        // Wrapped, so that its faults are told with its place.
        let place = format!("{key}[{at}]");
        let one = Settings::new(&json!({ place.clone(): entry }), &Value::Null);
        all.extend(one.within(&place, &read));
        match one.finish() {
            Ok(remarks) => remarks.into_iter().for_each(|it| settings.remark(it)),
            Err(wrongs) => wrongs.into_iter().for_each(|it| settings.wrong(&it.field, it.problem, &it.fix)),
        }
    }
    all
}
