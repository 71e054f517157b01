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
    draft
}
