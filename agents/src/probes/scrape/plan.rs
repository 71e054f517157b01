use std::time::Duration;

use ops_contract::{Relabel, ReplicaId, ScrapeSpec, ScrapeTarget};
use ops_samples::relabel::{self, Action, Step};
use ops_samples::{Labels, LabelsBuilder};
use reqwest::Url;

/// The product team's interval, and Prometheus' time-out.
const INTERVAL: Duration = Duration::from_secs(15);
const TIMEOUT: Duration = Duration::from_secs(10);

/// Everything that says how one target is asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    /// Where; a replica's port is told when it is asked. `None`: nowhere, its path is none.
    pub(super) url: Option<Url>,
    /// Its labels, without `__`.
    pub(super) labels: Labels,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) honor_labels: bool,
    pub(super) honor_timestamps: bool,
    /// 0: none.
    pub(super) sample_limit: u64,
    pub(super) metric_relabel: Vec<Relabel>,
    /// Whether it is a replica that was found: it may have no metrics, and is asked as soon as it is there.
    pub(super) found: bool,
}

impl Plan {
    /// How a replica is asked, whichever port it has.
    pub(super) fn of_replica(replica: &ReplicaId, path: &str) -> Self {
        let service = replica.service.as_str();
        let labels = Labels::new([
            ("job", format!("insightdesk-{service}")),
            ("instance", replica.to_string()),
            ("service", service.to_owned()),
            ("replica", replica.slot.to_string()),
        ]);
        Self {
            url: Url::parse(&format!("http://127.0.0.1{path}")).ok(),
            labels: labels.unwrap_or_default(),
            interval: INTERVAL,
            timeout: TIMEOUT,
            honor_labels: false,
            honor_timestamps: true,
            sample_limit: 0,
            metric_relabel: Vec::new(),
            found: true,
        }
    }

    /// How the targets of a job are asked; those that relabelling drops are left out.
    pub(super) fn of_targets(spec: &ScrapeSpec) -> Result<Vec<Self>, String> {
        let steps = compile(&spec.relabel)?;
        compile(&spec.metric_relabel)?;
        let plans = spec.targets.iter().map(|target| of_target(spec, target, &steps));
        plans.filter_map(Result::transpose).collect()
    }

    /// Tells it from every other target.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.url.as_ref().map_or("", Url::as_str), self.labels)
    }
}

fn of_target(
    spec: &ScrapeSpec,
    target: &ScrapeTarget,
    steps: &relabel::Relabel,
) -> Result<Option<Plan>, String> {
    let mut labels = LabelsBuilder::default();
    labels.set("job", &spec.job).set("__address__", &target.address).set("__scheme__", &spec.scheme);
    labels.set("__metrics_path__", &spec.path);
    for (name, value) in &spec.params {
        let label = format!("__param_{name}");
        if labels.get(&label).is_none() {
            labels.set(label, value);
        }
    }
    for (name, value) in &target.labels {
        labels.set(name, value);
    }
    if !steps.apply(&mut labels) {
        return Ok(None);
    }
    let Some(address) = labels.get("__address__").map(str::to_owned) else { return Ok(None) };
    let url = url(spec, &labels, &address)?;
    if labels.get("instance").is_none() {
        labels.set("instance", address);
    }
    labels.retain(|name, _| !name.starts_with("__"));
    Ok(Some(Plan {
        url: Some(url),
        labels: labels.build().map_err(|error| error.to_string())?,
        interval: spec.interval,
        timeout: spec.timeout,
        honor_labels: spec.honor_labels,
        honor_timestamps: spec.honor_timestamps,
        sample_limit: spec.sample_limit,
        metric_relabel: spec.metric_relabel.clone(),
        found: false,
    }))
}

/// The first value of a parameter is that of its label, which relabelling may have changed.
fn url(spec: &ScrapeSpec, labels: &LabelsBuilder, address: &str) -> Result<Url, String> {
    let part = |name: &str| labels.get(name).unwrap_or_default();
    let text = format!("{}://{address}{}", part("__scheme__"), part("__metrics_path__"));
    let mut url = Url::parse(&text).map_err(|error| format!("{text:?} is no address: {error}"))?;
    let mut params: Vec<(&str, &str)> = Vec::new();
    for (name, value) in labels.iter() {
        if let Some(name) = name.strip_prefix("__param_") {
            params.push((name, value));
        }
    }
    let mut seen = Vec::new();
    for (name, value) in &spec.params {
        if seen.contains(&name) {
            params.push((name, value));
        }
        seen.push(name);
    }
    if !params.is_empty() {
        url.query_pairs_mut().extend_pairs(params);
    }
    Ok(url)
}

/// Steps as `ops-samples` knows them.
pub(super) fn compile(steps: &[Relabel]) -> Result<relabel::Relabel, String> {
    let steps = steps.iter().map(|step| Step {
        action: Action::named(step.action.as_str()).unwrap_or_default(),
        source_labels: &step.source_labels,
        separator: &step.separator,
        regex: &step.regex,
        modulus: step.modulus,
        target_label: &step.target_label,
        replacement: &step.replacement,
    });
    relabel::Relabel::new(steps).map_err(|(number, error)| format!("step {number}: {error}"))
}
