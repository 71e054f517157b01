use std::time::Duration;

use ops_contract::{Relabel, RelabelAction, ScrapeSpec, ScrapeTarget};
use toml::de::DeValue;

use super::labels;
use crate::reader::{At, quoted};
use crate::section::Section;
use crate::{scrape, web};

/// The team's interval; Prometheus' own time-out.
const INTERVAL: Duration = Duration::from_secs(15);
const TIMEOUT: Duration = Duration::from_secs(10);

/// Every `[scrape.NAME]`.
pub(super) fn read(root: &Section<'_, '_>) -> Vec<ScrapeSpec> {
    root.named("scrape", "scrape.NAME").into_iter().map(|(job, section)| job_of(job, &section)).collect()
}

fn job_of(job: String, section: &Section<'_, '_>) -> ScrapeSpec {
    if job.is_empty() || job.len() > 200 || job.chars().any(char::is_control) {
        let problem = format!("{} cannot name a job", quoted(&job));
        section.reader.fault(&section.span, &section.path, problem, "use at most 200 plain characters");
    }
    let interval = section.duration("interval");
    let pause = interval.as_ref().map_or(INTERVAL, |at| at.value);
    let timeout = section.duration("timeout");
    let longest = timeout.as_ref().map_or(TIMEOUT.min(pause), |at| at.value);
    if let Some(at) = timeout.filter(|at| at.value > pause) {
        section.reader.wrong(&at, "timeout is longer than interval", "make it at most as long");
    }
    if let Some(at) = interval.filter(|at| at.value < Duration::from_secs(1)) {
        section.reader.wrong(&at, "this asks more often than each second", "write \"1s\" or longer");
    }
    let path = section.string("path");
    if let Some(at) = path.as_ref().filter(|at| !scrape::is_path(&at.value)) {
        section.reader.wrong(
            at,
            format!("{} is not a path", quoted(&at.value)),
            "begin with / and use no spaces: \"/metrics\"",
        );
    }
    let scheme = section.choice("scheme", &[("http", "http"), ("https", "https")]);
    ScrapeSpec {
        job,
        targets: targets(section),
        scheme: scheme.map_or("http", |at| at.value).to_owned(),
        path: path.map_or_else(|| "/metrics".to_owned(), |at| at.value),
        params: params(section),
        interval: pause,
        timeout: longest,
        honor_labels: section.boolean("honor_labels").is_some_and(|at| at.value),
        honor_timestamps: section.boolean("honor_timestamps").is_none_or(|at| at.value),
        sample_limit: section.count("sample_limit", 0..=100_000_000).map_or(0, |at| at.value),
        relabel: relabel(section, "relabel"),
        metric_relabel: relabel(section, "metric_relabel"),
    }
}

/// `"host:port"`, or a section with labels; the job's labels are those of each, where it has none of that name.
fn targets(section: &Section<'_, '_>) -> Vec<ScrapeTarget> {
    let common = labels::read(section, "labels");
    let Some(at) = section.value("targets") else {
        section.missing("targets", "add targets = [\"host:port\"]");
        return Vec::new();
    };
    let Some(list) = at.value.get_ref().as_array() else {
        section.wrong_type(&at, "a list: [\"host:port\"]");
        return Vec::new();
    };
    let mut targets = Vec::new();
    for value in list {
        let place = At { value, key: at.key.clone(), span: value.span() };
        let (address, own) = match value.get_ref() {
            DeValue::String(text) => (Some(place.with(text.clone().into_owned())), Default::default()),
            DeValue::Table(_) => {
                let Some(one) = section.as_table(&place, "scrape.NAME.targets") else { continue };
                if one.value("address").is_none() {
                    one.missing("address", "add address = \"host:port\"");
                }
                (one.string("address"), labels::read(&one, "labels"))
            }
            _ => {
                section.wrong_type(&place, "\"host:port\" or { address = \"host:port\", labels = { … } }");
                continue;
            }
        };
        let Some(address) = address else { continue };
        if let Err(problem) = web::check_target(&address.value) {
            section.reader.wrong(&address, problem, "write host:port, without scheme and path");
        }
        let mut labels = common.clone();
        labels.extend(own);
        targets.push(ScrapeTarget { address: address.value, labels });
    }
    targets
}

/// `params = { module = "http_2xx" }`, or a list of values for a name.
fn params(section: &Section<'_, '_>) -> Vec<(String, String)> {
    let mut params = Vec::new();
    for (name, at) in section.values("params") {
        match at.value.get_ref() {
            DeValue::Array(_) => {
                let values = section.as_strings(&at).map(|at| at.value).unwrap_or_default();
                params.extend(values.into_iter().map(|value| (name.clone(), value.value)));
            }
            DeValue::String(text) => params.push((name, text.clone().into_owned())),
            _ => section.wrong_type(&at, "text in quotes, or a list of them"),
        }
    }
    params
}

fn relabel(section: &Section<'_, '_>, key: &str) -> Vec<Relabel> {
    let Some(at) = section.value(key) else { return Vec::new() };
    let Some(list) = at.value.get_ref().as_array() else {
        section.wrong_type(
            &at,
            "a list of steps: [{ source_labels = [\"…\"], regex = \"…\", action = \"keep\" }]",
        );
        return Vec::new();
    };
    let mut steps = Vec::new();
    for value in list {
        let place = At { value, key: at.key.clone(), span: value.span() };
        let Some(one) = section.as_table(&place, "scrape.NAME.relabel") else { continue };
        let step = step(&one);
        let known = one.value("action").is_none()
            || one
                .string("action")
                .is_some_and(|at| scrape::ACTIONS.iter().any(|it| it.as_str() == at.value));
        if let (true, Err(problem)) = (known, scrape::check_step(&step)) {
            section.reader.wrong(&place, problem, "correct this step");
        }
        steps.push(step);
    }
    steps
}

fn step(section: &Section<'_, '_>) -> Relabel {
    let usual = Relabel::default();
    let actions: Vec<(&str, RelabelAction)> = scrape::ACTIONS.iter().map(|it| (it.as_str(), *it)).collect();
    let text = |key: &str, usual: String| section.string(key).map_or(usual, |at| at.value);
    let sources = section.strings("source_labels").map(|at| at.value).unwrap_or_default();
    Relabel {
        action: section.choice("action", &actions).map_or(usual.action, |at| at.value),
        source_labels: sources.into_iter().map(|at| at.value).collect(),
        separator: text("separator", usual.separator),
        regex: text("regex", usual.regex),
        modulus: section.count("modulus", 1..=u64::from(u32::MAX)).map_or(0, |at| at.value),
        target_label: text("target_label", usual.target_label),
        replacement: text("replacement", usual.replacement),
    }
}
