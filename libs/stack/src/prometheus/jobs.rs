use ops_contract::{Relabel, ScrapeSpec, ScrapeTarget};

use super::Global;
use super::walk::{Map, Notes};
use crate::{scrape, web};

const KNOWN: [&str; 12] = [
    "job_name",
    "scrape_interval",
    "scrape_timeout",
    "metrics_path",
    "scheme",
    "params",
    "honor_labels",
    "honor_timestamps",
    "sample_limit",
    "static_configs",
    "relabel_configs",
    "metric_relabel_configs",
];

const PASSED: [&str; 11] = [
    "track_timestamps_staleness",
    "follow_redirects",
    "enable_http2",
    "enable_compression",
    "scrape_protocols",
    "fallback_scrape_protocol",
    "scrape_classic_histograms",
    "always_scrape_classic_histograms",
    "metric_name_validation_scheme",
    "metric_name_escaping_scheme",
    "keep_dropped_targets",
];

const REFUSED: [&str; 37] = [
    "basic_auth",
    "authorization",
    "oauth2",
    "tls_config",
    "bearer_token",
    "bearer_token_file",
    "proxy_url",
    "proxy_from_environment",
    "http_headers",
    "body_size_limit",
    "label_limit",
    "label_name_length_limit",
    "label_value_length_limit",
    "target_limit",
    "azure_sd_configs",
    "consul_sd_configs",
    "digitalocean_sd_configs",
    "dns_sd_configs",
    "docker_sd_configs",
    "dockerswarm_sd_configs",
    "ec2_sd_configs",
    "eureka_sd_configs",
    "file_sd_configs",
    "gce_sd_configs",
    "hetzner_sd_configs",
    "http_sd_configs",
    "ionos_sd_configs",
    "kubernetes_sd_configs",
    "kuma_sd_configs",
    "lightsail_sd_configs",
    "linode_sd_configs",
    "marathon_sd_configs",
    "nomad_sd_configs",
    "openstack_sd_configs",
    "puppetdb_sd_configs",
    "scaleway_sd_configs",
    "vultr_sd_configs",
];

/// One of `scrape_configs`.
pub(super) fn read(map: &Map<'_>, global: &Global, notes: &mut Notes) -> Option<ScrapeSpec> {
    map.check(&KNOWN, &PASSED, &REFUSED, notes);
    let job = map.text("job_name", notes).filter(|job| !job.is_empty() && job.len() <= 200);
    if job.is_none() {
        notes.fault(None, &map.path, "job_name is missing, empty or too long", "add job_name");
    }
    let interval = map.duration("scrape_interval", notes).unwrap_or(global.interval);
    let timeout = map.duration("scrape_timeout", notes);
    if timeout.is_some_and(|it| it > interval) {
        let path = map.key("scrape_timeout");
        notes.fault(map.get("scrape_timeout"), &path, "it is longer than the interval", "make it shorter");
    }
    let path = map.read("metrics_path", "a path such as /metrics", notes, |it| {
        scrape::is_path(it).then(|| it.to_owned())
    });
    let scheme = map
        .read("scheme", "http or https", notes, |it| ["http", "https"].contains(&it).then(|| it.to_owned()));
    Some(ScrapeSpec {
        job: job?.to_owned(),
        targets: targets(map, notes),
        scheme: scheme.unwrap_or_else(|| "http".to_owned()),
        path: path.unwrap_or_else(|| "/metrics".to_owned()),
        params: params(map, notes),
        interval,
        timeout: timeout.unwrap_or(global.timeout).min(interval),
        honor_labels: map.boolean("honor_labels", notes).unwrap_or(false),
        honor_timestamps: map.boolean("honor_timestamps", notes).unwrap_or(true),
        sample_limit: map.read("sample_limit", "a whole number", notes, |it| it.parse().ok()).unwrap_or(0),
        relabel: steps(map, "relabel_configs", notes),
        metric_relabel: steps(map, "metric_relabel_configs", notes),
    })
}

fn targets(map: &Map<'_>, notes: &mut Notes) -> Vec<ScrapeTarget> {
    let mut targets = Vec::new();
    for (number, node) in map.list("static_configs", notes).iter().enumerate() {
        let path = map.key(&format!("static_configs[{number}]"));
        let Some(group) = notes.map(node, &path) else { continue };
        group.check(&["targets", "labels"], &[], &[], notes);
        let labels = group.labels("labels", notes);
        for address in group.texts("targets", notes) {
            if let Err(problem) = web::check_target(&address) {
                notes.fault(Some(node), &path, &problem, "write host:port, without scheme and path");
            }
            targets.push(ScrapeTarget { address, labels: labels.clone() });
        }
    }
    targets
}

fn params(map: &Map<'_>, notes: &mut Notes) -> Vec<(String, String)> {
    let path = map.key("params");
    let Some(params) = map.get("params").and_then(|node| notes.map(node, &path)) else { return Vec::new() };
    let mut all = Vec::new();
    for (name, _) in params.pairs() {
        all.extend(params.texts(name, notes).into_iter().map(|value| (name.clone(), value)));
    }
    all
}

fn steps(map: &Map<'_>, key: &str, notes: &mut Notes) -> Vec<Relabel> {
    let mut steps = Vec::new();
    for (number, node) in map.list(key, notes).iter().enumerate() {
        let path = map.key(&format!("{key}[{number}]"));
        let Some(one) = notes.map(node, &path) else { continue };
        let known =
            ["action", "source_labels", "separator", "regex", "modulus", "target_label", "replacement"];
        one.check(&known, &[], &[], notes);
        let usual = Relabel::default();
        let action = one.read("action", "an action of relabelling", notes, |it| {
            scrape::ACTIONS.into_iter().find(|action| it.eq_ignore_ascii_case(action.as_str()))
        });
        let mut text = |key: &str, usual: String| one.text(key, notes).map_or(usual, str::to_owned);
        let (separator, regex) = (text("separator", usual.separator), text("regex", usual.regex));
        let (target_label, replacement) =
            (text("target_label", String::new()), text("replacement", usual.replacement));
        let step = Relabel {
            action: action.unwrap_or(usual.action),
            source_labels: one.texts("source_labels", notes),
            separator,
            regex,
            modulus: one.read("modulus", "a whole number", notes, |it| it.parse().ok()).unwrap_or(0),
            target_label,
            replacement,
        };
        let known = action.is_some() || one.get("action").is_none();
        if let (true, Err(problem)) = (known, scrape::check_step(&step)) {
            notes.fault(Some(node), &path, &problem, "correct this step");
        }
        steps.push(step);
    }
    steps
}
