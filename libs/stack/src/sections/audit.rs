use std::time::Duration;

use ops_contract::{AnchorSpec, AuditSpec};

use super::secret_stores::absolute;
use crate::reader::At;
use crate::section::Section;
use crate::{Context, web};

/// Most places of anchors.
const MOST: usize = 20;

/// `[audit]`: how the record is kept.
pub(super) fn read(root: &Section<'_, '_>, context: &Context) -> AuditSpec {
    let mut spec = AuditSpec::default();
    let Some(section) = root.table("audit", "audit") else { return spec };
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
    if let Some(findings) = section.table("findings", "audit.findings") {
        spec.findings = super::findings::read(&findings);
    }
    spec
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
