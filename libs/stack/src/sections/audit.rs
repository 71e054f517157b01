use std::time::Duration;

use ops_contract::{AnchorSpec, AuditSourceSpec, AuditSpec};

use super::secret_stores::absolute;
use crate::reader::{At, quoted};
use crate::section::Section;
use crate::{Context, web};

/// Most places of anchors and most devices.
const MOST: usize = 20;

/// `[audit]`, with the places of what must be compared with other sections.
#[derive(Default)]
pub(crate) struct AuditDraft {
    pub(crate) spec: AuditSpec,
    /// Tokens of devices.
    pub(crate) token_secrets: Vec<At<String>>,
}

/// `[audit]`: how the record is kept, and who else tells of accesses.
pub(super) fn read(root: &Section<'_, '_>, context: &Context) -> AuditDraft {
    let mut draft = AuditDraft::default();
    let Some(section) = root.table("audit", "audit") else { return draft };
    let spec = &mut draft.spec;
    spec.key_file = section.string("key_file").map(|at| absolute(&at, context));
    if let Some(at) = section.long_duration("seal_every", Duration::from_secs(1)) {
        if at.value > Duration::from_secs(3_600) {
            section.reader.wrong(&at, "this is too long", "write an hour or less: \"60s\"");
        }
        spec.seal_every = at.value;
    }
    if let Some(at) = section.long_duration("anchor_every", Duration::from_secs(1)) {
        spec.anchor_every = at.value;
    }
    spec.retention = section.long_duration("retention", Duration::from_secs(90 * 86_400)).map(|at| at.value);
    for (name, place) in limited(&section, "anchors", "audit.anchors.NAME") {
        spec.anchors.extend(anchor(&name, &place, context));
    }
    for (name, source) in limited(&section, "sources", "audit.sources.NAME") {
        if let Some(spec) = self::source(&name, &source, context, &mut draft.token_secrets) {
            draft.spec.sources.insert(name, spec);
        }
    }
    if let Some(findings) = section.table("findings", "audit.findings") {
        draft.spec.findings = super::findings::read(&findings);
    }
    draft
}

fn source(
    name: &str,
    section: &Section<'_, '_>,
    context: &Context,
    token_secrets: &mut Vec<At<String>>,
) -> Option<AuditSourceSpec> {
    if !super::is_name(name) {
        let at = At { value: (), key: section.path.clone(), span: section.span.clone() };
        let fix = "use lower case letters, digits and dashes";
        section.reader.wrong(&at, format!("{} cannot name a device", quoted(name)), fix);
    }
    match (section.string("http_token_secret"), section.string("file")) {
        (Some(token), None) => {
            token_secrets.push(token.clone());
            Some(AuditSourceSpec::VaultHttp { token_secret: token.value })
        }
        (None, Some(file)) => Some(AuditSourceSpec::VaultFile { path: absolute(&file, context) }),
        _ => {
            let fix = "write one of http_token_secret = \"NAME\" and file = \"/var/log/openbao/audit.log\"";
            section.missing("http_token_secret", &format!("[audit.sources.{name}] is no device: {fix}"));
            None
        }
    }
}

fn limited<'r, 't>(section: &Section<'r, 't>, key: &str, kind: &str) -> Vec<(String, Section<'r, 't>)> {
    let all = section.named(key, kind);
    if let Some((_, one)) = all.get(MOST) {
        let at = At { value: (), key: one.path.clone(), span: one.span.clone() };
        one.reader.wrong(&at, format!("there are more than {MOST}"), "name fewer");
    }
    all
}

fn anchor(name: &str, section: &Section<'_, '_>, context: &Context) -> Option<AnchorSpec> {
    let (file, bucket, webhook) =
        (section.string("file"), section.string("bucket"), section.string("webhook"));
    for key in ["prefix", "retain_days"] {
        if let Some(at) = section.value(key).filter(|_| bucket.is_none()) {
            section.reader.wrong(&at, format!("{key} is for a bucket"), format!("remove {key}"));
        }
    }
    match (file, bucket, webhook) {
        (Some(file), None, None) => Some(AnchorSpec::File { path: absolute(&file, context) }),
        (None, Some(bucket), None) => Some(AnchorSpec::S3 {
            bucket: bucket.value,
            prefix: section.string("prefix").map_or_else(|| "audit".to_owned(), |at| at.value),
            retain_days: section.integer("retain_days", 1..=36_500).map_or(365, |at| u32::from(at.value)),
        }),
        (None, None, Some(webhook)) => {
            web::check(section, &webhook);
            Some(AnchorSpec::Webhook { url: webhook.value })
        }
        _ => {
            let fix = "write one of file = \"/mnt/other/anchors\", bucket = \"…\" or webhook = \"https://…\"";
            section.missing("file", &format!("[audit.anchors.{name}] is no place: {fix}"));
            None
        }
    }
}
