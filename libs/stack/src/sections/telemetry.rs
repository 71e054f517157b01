use ops_contract::{RemoteWriteSpec, TelemetrySpec};
use toml::de::DeValue;

use crate::prometheus::{self, Prometheus};
use crate::reader::{At, quoted};
use crate::section::Section;
use crate::{Context, duration, web};

/// Most receivers of remote write.
const MOST_RECEIVERS: usize = 20;

/// `[telemetry]`, with the places of what must be compared with other sections.
#[derive(Default)]
pub(crate) struct TelemetryDraft {
    pub(crate) spec: TelemetrySpec,
    pub(crate) token_secrets: Vec<At<String>>,
    /// What the Prometheus configuration says, if one is named, and where it is named.
    pub(crate) prometheus: Option<At<Prometheus>>,
}

pub(super) fn read(root: &Section<'_, '_>, context: &Context) -> TelemetryDraft {
    let mut draft = TelemetryDraft::default();
    let Some(section) = root.table("telemetry", "telemetry") else { return draft };
    let spec = &mut draft.spec;
    if let Some(at) = section.string("retention") {
        match duration::parse_long(&at.value).filter(|it| it.as_secs() >= 3600) {
            Some(span) => spec.retention = span,
            None => section.reader.wrong(
                &at,
                format!("{} is no span of an hour or more", quoted(&at.value)),
                "write \"15d\"",
            ),
        }
    }
    if let Some(at) = section.string("retention_size") {
        match bytes(&at.value).filter(|it| *it >= 16 << 20) {
            Some(size) => spec.retention_bytes = size,
            None => section.reader.wrong(
                &at,
                format!("{} is no size of 16 MiB or more", quoted(&at.value)),
                "write \"512MiB\" or \"1GiB\"",
            ),
        }
    }
    if let Some(most) = section.count("max_series", 100..=100_000_000) {
        spec.max_series = most.value;
    }
    if let Some(at) = section.duration("out_of_order") {
        spec.out_of_order = at.value;
    }
    remote_write(&section, &mut draft);
    draft.prometheus =
        section.string("prometheus_file").map(|at| at.with(prometheus::load(&section, &at, context)));
    draft
}

/// A list of addresses, or of sections.
fn remote_write(section: &Section<'_, '_>, draft: &mut TelemetryDraft) {
    let Some(at) = section.value("remote_write") else { return };
    let Some(list) = at.value.get_ref().as_array() else {
        section.wrong_type(&at, "a list: [{ url = \"https://…\" }]");
        return;
    };
    if list.iter().count() > MOST_RECEIVERS {
        section.reader.wrong(&at, format!("there are more than {MOST_RECEIVERS} receivers"), "name fewer");
        return;
    }
    for value in list {
        let place = At { value, key: at.key.clone(), span: value.span() };
        if let DeValue::String(url) = value.get_ref() {
            let url = place.with(url.clone().into_owned());
            web::check(section, &url);
            draft.spec.remote_write.push(RemoteWriteSpec { url: url.value, token_secret: None });
            continue;
        }
        let Some(one) = section.as_table(&place, "telemetry.remote_write") else { continue };
        if one.value("url").is_none() {
            one.missing("url", "add url = \"https://…/api/v1/write\"");
        }
        let token_secret = one.string("token_secret");
        draft.token_secrets.extend(token_secret.clone());
        if let Some(url) = one.string("url") {
            web::check(&one, &url);
            let token_secret = token_secret.map(|at| at.value);
            draft.spec.remote_write.push(RemoteWriteSpec { url: url.value, token_secret });
        }
    }
}

/// `512MiB` and the like.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|it: char| !it.is_ascii_digit()).filter(|at| (1..=9).contains(at))?;
    let (number, unit) = text.split_at(digits);
    let shift = match unit {
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift).filter(|it| *it <= 1 << 50)
}
