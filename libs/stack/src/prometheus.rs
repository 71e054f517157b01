//! Reads a Prometheus configuration as it is: what is scraped, which rules there are, where samples are sent too.
//!
//! What would change the meaning and is not supported is a fault; what only tunes Prometheus itself is a remark.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use ops_contract::{RemoteWriteSpec, ScrapeSpec};

use crate::Context;
use crate::files::{self, Matching};
use crate::reader::{At, quoted};
use crate::section::Section;
use crate::web;

mod jobs;
mod node;
mod walk;

use node::Node;
use walk::{Map, Notes};

/// The longest configuration.
const MAX_BYTES: u64 = 1 << 20;

/// What a Prometheus configuration says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prometheus {
    pub(crate) evaluation_interval: Option<Duration>,
    pub(crate) external_labels: BTreeMap<String, String>,
    pub(crate) rules: Vec<String>,
    pub(crate) scrape: Vec<ScrapeSpec>,
    pub(crate) remote_write: Vec<RemoteWriteSpec>,
    pub(crate) remarks: Vec<String>,
}

/// What `global` says of every job.
struct Global {
    interval: Duration,
    timeout: Duration,
}

/// Reads the file that is named at `at`, and notes there what is wrong with it.
pub(crate) fn load(section: &Section<'_, '_>, at: &At<String>, context: &Context) -> Prometheus {
    let path = context.base_dir.join(&at.value);
    let text = match read(&path) {
        Ok(text) => text,
        Err(problem) => {
            let fix = "name a Prometheus configuration, relative to the stack file";
            section.reader.wrong(at, problem, fix);
            return Prometheus::default();
        }
    };
    let folder = path.parent().unwrap_or(&context.base_dir);
    let (prometheus, faults) = parse(&text, folder);
    for (problem, fix) in faults {
        section.reader.wrong(at, format!("{}: {problem}", quoted(&at.value)), fix);
    }
    prometheus
}

fn read(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| format!("the file cannot be read: {error}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err("the file is longer than 1 MiB".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "the file is not UTF-8 text".to_owned())
}

/// What the text says, and what is wrong with it: each problem with its cure.
fn parse(text: &str, folder: &Path) -> (Prometheus, Vec<(String, String)>) {
    let mut notes = Notes::default();
    let mut it = Prometheus::default();
    match Node::parse(text) {
        Err(problem) => notes.fault(None, "", &format!("this is not YAML: {problem}"), "correct the syntax"),
        Ok(root) => {
            if let Some(root) = notes.map(&root, "") {
                fill(&mut it, &root, folder, &mut notes);
            }
        }
    }
    it.remarks = notes.remarks;
    (it, notes.faults)
}

fn fill(it: &mut Prometheus, root: &Map<'_>, folder: &Path, notes: &mut Notes) {
    let known = ["global", "rule_files", "scrape_configs", "remote_write", "alerting"];
    let passed = ["storage", "tracing", "runtime", "otlp"];
    root.check(&known, &passed, &["scrape_config_files", "remote_read"], notes);
    if root.get("alerting").is_some() {
        notes.remark(root, "alerting", "alerts are routed here, not by an Alertmanager");
    }
    let global = global(it, root, notes);
    for node in root.list("rule_files", notes) {
        let Some(pattern) = notes.text(node, "rule_files") else { continue };
        match files::matching(folder, pattern) {
            Ok((pattern, found)) => {
                if found == Matching::None {
                    notes.remarks.push(format!("rule_files: no file has the name {} now", quoted(&pattern)));
                }
                it.rules.push(pattern);
            }
            Err(problem) => {
                notes.fault(Some(node), "rule_files", &problem, "name files; the last part may hold *")
            }
        }
    }
    for (number, node) in root.list("scrape_configs", notes).iter().enumerate() {
        let path = format!("scrape_configs[{number}]");
        let Some(map) = notes.map(node, &path) else { continue };
        let Some(job) = jobs::read(&map, &global, notes) else { continue };
        if it.scrape.iter().any(|other| other.job == job.job) {
            notes.fault(
                Some(node),
                &path,
                &format!("job {} is there twice", quoted(&job.job)),
                "rename one of the two",
            );
        }
        it.scrape.push(job);
    }
    for (number, node) in root.list("remote_write", notes).iter().enumerate() {
        it.remote_write.extend(remote_write(node, number, notes));
    }
}

fn global(it: &mut Prometheus, root: &Map<'_>, notes: &mut Notes) -> Global {
    let mut global = Global { interval: Duration::from_secs(60), timeout: Duration::from_secs(10) };
    let Some(map) = root.get("global").and_then(|node| notes.map(node, "global")) else { return global };
    let known = ["scrape_interval", "scrape_timeout", "evaluation_interval", "external_labels"];
    let passed = [
        "query_log_file",
        "scrape_failure_log_file",
        "rule_query_offset",
        "scrape_protocols",
        "metric_name_validation_scheme",
        "metric_name_escaping_scheme",
        "always_scrape_classic_histograms",
        "scrape_native_histograms",
        "convert_classic_histograms_to_nhcb",
        "extra_scrape_metrics",
    ];
    let limits = [
        "body_size_limit",
        "sample_limit",
        "label_limit",
        "label_name_length_limit",
        "label_value_length_limit",
        "target_limit",
        "keep_dropped_targets",
    ];
    map.check(&known, &passed, &limits, notes);
    global.interval = map.duration("scrape_interval", notes).unwrap_or(global.interval);
    let timeout = map.duration("scrape_timeout", notes);
    if timeout.is_some_and(|it| it > global.interval) {
        notes.fault(
            map.get("scrape_timeout"),
            "global.scrape_timeout",
            "it is longer than the interval",
            "make it shorter",
        );
    }
    global.timeout = timeout.unwrap_or(global.timeout).min(global.interval);
    it.evaluation_interval = map.duration("evaluation_interval", notes);
    it.external_labels = map.labels("external_labels", notes);
    global
}

fn remote_write(node: &Node, number: usize, notes: &mut Notes) -> Option<RemoteWriteSpec> {
    let path = format!("remote_write[{number}]");
    let map = notes.map(node, &path)?;
    let passed =
        ["name", "remote_timeout", "queue_config", "metadata_config", "protobuf_message", "send_exemplars"];
    let refused = [
        "basic_auth",
        "authorization",
        "oauth2",
        "sigv4",
        "azuread",
        "tls_config",
        "headers",
        "write_relabel_configs",
    ];
    map.check(&["url"], &passed, &refused, notes);
    let url = map.text("url", notes);
    let Some(url) = url.filter(|url| web::is_url(url)) else {
        notes.fault(Some(node), &path, "url is missing or no URL", "write url: https://…/api/v1/write");
        return None;
    };
    Some(RemoteWriteSpec { url: url.to_owned(), token_secret: None })
}

#[cfg(test)]
mod tests;
