use std::time::Duration;

use ops_contract::AlertsSpec;

use super::labels;
use crate::Context;
use crate::files::{self, Matching};
use crate::reader::At;
use crate::section::Section;
use crate::web;

/// `[alerts]`, with the places of what must be compared with other sections.
#[derive(Default)]
pub(crate) struct AlertsDraft {
    pub(crate) spec: AlertsSpec,
    /// Whether the file says so itself: then a Prometheus configuration does not.
    pub(crate) own_interval: bool,
    pub(crate) query_token_secret: Option<At<String>>,
}

pub(super) fn read(root: &Section<'_, '_>, context: &Context) -> AlertsDraft {
    let mut draft = AlertsDraft::default();
    let Some(section) = root.table("alerts", "alerts") else { return draft };
    let spec = &mut draft.spec;
    for at in section.strings("rules").map(|at| at.value).unwrap_or_default() {
        match files::matching(&context.base_dir, &at.value) {
            Ok((pattern, Matching::Some)) => spec.rules.push(pattern),
            Ok((_, Matching::None)) => {
                let fix = "name rule files, relative to the stack file; the last part may hold *";
                section.reader.wrong(&at, "no file has this name", fix);
            }
            Err(problem) => section.reader.wrong(&at, problem, "name rule files: \"monitoring/rules/*.yml\""),
        }
    }
    spec.builtin = section.boolean("builtin").is_none_or(|at| at.value);
    if let Some(at) = section.duration("evaluation_interval") {
        if at.value < Duration::from_secs(1) {
            section.reader.wrong(
                &at,
                "this is too short",
                "write \"1s\" or longer; what samples wake does not wait for it",
            );
        }
        spec.evaluation_interval = at.value;
        draft.own_interval = true;
    }
    spec.query_url = section.string("query_url").map(|at| {
        web::check(&section, &at);
        at.value.trim_end_matches('/').to_owned()
    });
    draft.query_token_secret = section.string("query_token_secret");
    if let (Some(at), None) = (&draft.query_token_secret, &spec.query_url) {
        section.reader.wrong(at, "there is nobody to send it to", "add query_url, or remove it");
    }
    spec.query_token_secret = draft.query_token_secret.as_ref().map(|at| at.value.clone());
    spec.external_labels = labels::read(&section, "external_labels");
    spec.alertmanager_file = file(&section, "alertmanager_file", context);
    spec.oncall_file = file(&section, "oncall_file", context);
    if spec.alertmanager_file.is_none()
        && let Some(at) = section.string("oncall_file")
    {
        section.reader.wrong(&at, "nobody could be told", "add alertmanager_file, which has the receivers");
    }
    spec.fallback_receiver = section.string("fallback_receiver").map(|at| at.value);
    heartbeats(&section, spec);
    draft
}

/// The absolute path of a file that must be there.
fn file(section: &Section<'_, '_>, key: &str, context: &Context) -> Option<String> {
    let at = section.string(key)?;
    let path = context.base_dir.join(&at.value);
    if !path.is_file() {
        section.reader.wrong(&at, "there is no such file", "name a file relative to the stack file");
    }
    Some(path.to_string_lossy().into_owned())
}

fn heartbeats(section: &Section<'_, '_>, spec: &mut AlertsSpec) {
    spec.heartbeat_url = section.string("heartbeat_url").map(|at| {
        web::check(section, &at);
        at.value
    });
    if let Some(at) = section.duration("heartbeat_interval") {
        if at.value < Duration::from_secs(1) {
            section.reader.wrong(&at, "this is too short", "write \"10s\" or longer");
        }
        spec.heartbeat_interval = at.value;
    }
    for (name, at) in section.texts("heartbeats") {
        let plain =
            name.len() <= 100 && name.chars().all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it));
        match crate::duration::parse_long(&at.value) {
            Some(every) if plain && every >= Duration::from_secs(1) => {
                spec.heartbeats.insert(name, every.as_secs());
            }
            _ => {
                let fix = "write NAME = \"25h\": the longest pause between two reports; names have letters, digits, - _ .";
                section.reader.wrong(&at, "this is no heartbeat", fix);
            }
        }
    }
}
