use std::time::Duration;

use ops_contract::{AnchorSpec, AuditSourceSpec, AuditSpec, FindingsSpec};

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
    pub(crate) secrets: Vec<At<String>>,
}

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
        if !super::is_name(&name) {
            let at = At { value: (), key: source.path.clone(), span: source.span.clone() };
            let fix = "use lower case letters, digits and dashes";
            source.reader.wrong(&at, format!("{} cannot name a device", quoted(&name)), fix);
        }
        let token = source.string("http_token_secret");
        let file = source.string("file");
        let spec = match (&token, &file) {
            (Some(token), None) => AuditSourceSpec::VaultHttp { token_secret: token.value.clone() },
            (None, Some(file)) => AuditSourceSpec::VaultFile { path: absolute(file, context) },
            _ => {
                source.missing(
                    "http_token_secret",
                    "name the secret with the device's token, or a file, not both",
                );
                continue;
            }
        };
        draft.secrets.extend(token);
        draft.spec.sources.insert(name, spec);
    }
    if let Some(findings) = section.table("findings", "audit.findings") {
        draft.spec.findings = self::findings(&findings);
    }
    draft
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

fn findings(section: &Section<'_, '_>) -> FindingsSpec {
    let mut spec = FindingsSpec::default();
    for at in section.strings("off").map(|at| at.value).unwrap_or_default() {
        let number = at.value.strip_prefix('R').and_then(|it| it.parse::<u8>().ok());
        if number.is_some_and(|it| (1..=11).contains(&it)) {
            spec.off.insert(at.value);
        } else {
            section.reader.wrong(&at, format!("there is no rule {}", quoted(&at.value)), "write R1 to R11");
        }
    }
    let day = Duration::from_secs(86_400);
    let spans: [(&str, Duration, &mut Duration); 3] = [
        ("learning", Duration::ZERO, &mut spec.learning),
        ("memory", day, &mut spec.memory),
        ("silence", Duration::from_secs(1), &mut spec.silence),
    ];
    for (key, least, span) in spans {
        if let Some(at) = section.long_duration(key, least) {
            *span = at.value;
        }
    }
    let figures: [(&str, &mut u32); 4] = [
        ("spread", &mut spec.spread),
        ("volume", &mut spec.volume),
        ("denied", &mut spec.denied),
        ("denied_secrets", &mut spec.denied_secrets),
    ];
    for (key, figure) in figures {
        if let Some(at) = section.integer(key, 1..=u16::MAX) {
            *figure = u32::from(at.value);
        }
    }
    if let Some(at) = section.integer("volume_deviations", 1..=1_000) {
        spec.volume_deviations = f64::from(at.value);
    }
    if let Some(list) = section.strings("hours") {
        let hours: Vec<Option<u8>> = list.value.iter().map(|at| hour(&at.value)).collect();
        match hours.as_slice() {
            [Some(from), Some(to)] if from < to => spec.hours = Some([*from, *to]),
            _ => section.reader.wrong(
                &list,
                "these are no hours",
                "write hours = [\"07:00\", \"19:00\"] (UTC)",
            ),
        }
    }
    for at in section.strings("service_networks").map(|at| at.value).unwrap_or_default() {
        if is_network(&at.value) {
            spec.service_networks.push(at.value);
        } else {
            let fix = "write \"10.0.0.0/8\" or \"fd00::/8\"";
            section.reader.wrong(&at, format!("{} is no network", quoted(&at.value)), fix);
        }
    }
    spec
}

/// `07:00`; whole hours, up to 24.
fn hour(text: &str) -> Option<u8> {
    text.strip_suffix(":00")?.parse().ok().filter(|it| *it <= 24)
}

fn is_network(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, bits)| {
        let most = match address.parse::<std::net::IpAddr>() {
            Ok(std::net::IpAddr::V4(_)) => 32,
            Ok(std::net::IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        bits.parse::<u8>().is_ok_and(|bits| bits <= most)
    })
}
