use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use ops_promql::Query;
use ops_promql::template::{Context, Template};
use ops_samples::{Labels, LabelsBuilder, NAME, Sample};

use super::inputs::{Inputs, Look};
use super::{Backend, Rule, RuleAction, RuleSet};

/// One evaluation that is due. Holds no lock and changes nothing.
#[derive(Debug)]
pub struct Job {
    pub(crate) index: usize,
    pub(crate) rules: Arc<RuleSet>,
    /// When it is evaluated for; `None`: now.
    pub(crate) at_ms: Option<i64>,
    /// What is pending or fires: fingerprint, the labels that came from its series, whether it is held without data.
    pub(crate) living: Vec<(String, Labels, bool)>,
    /// Whether it is time to look whether an empty result means that there is no data.
    pub(crate) check_inputs: bool,
}

/// What an evaluation found.
#[derive(Debug)]
pub struct Outcome {
    pub(crate) index: usize,
    pub(crate) rules: Arc<RuleSet>,
    /// The time it was evaluated for, in milliseconds.
    pub at_ms: i64,
    /// What was found, or why nothing could be.
    pub result: Result<Vec<Found>, String>,
    /// Fingerprints of living alerts that are missing because their data is.
    pub(crate) gone: BTreeSet<String>,
    /// What became of the inputs as a whole, where that was looked at.
    pub(crate) inputs: Option<Inputs>,
    /// How long it took, in seconds.
    pub took_s: f64,
}

/// One element of a result, as alert or as series.
#[derive(Clone, Debug)]
pub struct Found {
    /// All labels of the alert or series.
    pub labels: Labels,
    /// Rendered; empty for series.
    pub annotations: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

impl Job {
    /// The rule's id.
    #[must_use]
    pub fn rule(&self) -> &str {
        self.rules.entries.get(self.index).map_or("", |entry| &entry.rule.id)
    }

    /// Evaluates.
    #[must_use]
    pub fn run(&self, backend: &dyn Backend, now_ms: i64) -> Outcome {
        let began = Instant::now();
        let mut outcome = Outcome {
            index: self.index,
            rules: self.rules.clone(),
            at_ms: self.at_ms.unwrap_or(now_ms),
            result: Ok(Vec::new()),
            gone: BTreeSet::new(),
            inputs: None,
            took_s: 0.0,
        };
        if let Some(entry) = self.rules.entries.get(self.index) {
            outcome.at_ms -= entry.offset_ms;
            outcome.result = self.evaluate(&entry.rule, entry.limit, backend, outcome.at_ms);
            self.look(&entry.rule, backend, &mut outcome);
        }
        outcome.took_s = began.elapsed().as_secs_f64();
        outcome
    }

    fn evaluate(
        &self,
        rule: &Rule,
        limit: usize,
        backend: &dyn Backend,
        at_ms: i64,
    ) -> Result<Vec<Found>, String> {
        let samples = backend.instant(&rule.query, at_ms)?;
        if limit > 0 && samples.len() > limit {
            return Err(format!("exceeded limit of {limit} with {} alerts or series", samples.len()));
        }
        let ask = |text: &str| {
            let query = Query::parse(text).map_err(|error| error.to_string())?;
            backend.instant(&query, at_ms)
        };
        let settings = &self.rules.settings;
        let mut all = Vec::with_capacity(samples.len());
        let mut seen = BTreeSet::new();
        for element in &samples {
            let context = Context {
                labels: &element.labels,
                value: element.sample.value,
                external_labels: &settings.external_labels,
                external_url: &settings.external_url,
                query: &ask,
            };
            let found = found(rule, &element.labels, element.sample, &context)?;
            if !seen.insert(found.labels.clone()) {
                return Err("vector contains metrics with the same labelset after applying \
                            alert labels"
                    .to_owned());
            }
            all.push(found);
        }
        Ok(all)
    }

    /// Looks whether what is missing is missing because there is no data.
    fn look(&self, rule: &Rule, backend: &dyn Backend, outcome: &mut Outcome) {
        let Ok(found) = &outcome.result else { return };
        let there: BTreeSet<String> = found.iter().map(|it| fingerprint(&it.labels)).collect();
        let mut look = Look::new(backend, outcome.at_ms);
        for (fingerprint, labels, held) in &self.living {
            if there.contains(fingerprint) {
                continue;
            }
            let gone = match look.judge(&rule.query, Some(labels)) {
                Ok(Inputs::Gone) | Err(_) => true,
                Ok(Inputs::Unknown) => *held,
                Ok(Inputs::Live | Inputs::Ended) => false,
            };
            if gone {
                outcome.gone.insert(fingerprint.clone());
            }
        }
        outcome.inputs = match found.is_empty() {
            false => Some(Inputs::Live),
            true if self.check_inputs => look.judge(&rule.query, None).ok(),
            true => None,
        };
    }
}

/// Sixteen hexadecimal digits over a label set.
pub(crate) fn fingerprint(labels: &Labels) -> String {
    format!("{:016x}", labels.fingerprint())
}

fn found(rule: &Rule, series: &Labels, sample: Sample, context: &Context<'_>) -> Result<Found, String> {
    let mut labels: LabelsBuilder = series.to_builder();
    labels.remove(NAME);
    for (name, (_, template)) in &rule.labels {
        labels.set(name, render(name, template, context)?);
    }
    let mut annotations = BTreeMap::new();
    match &rule.action {
        RuleAction::Record => labels.set(NAME, &rule.name),
        RuleAction::Alert { annotations: templates, .. } => {
            for (name, (_, template)) in templates {
                // What people are told of must not keep them from being told.
                let text = render(name, template, context)
                    .unwrap_or_else(|error| format!("<error expanding template: {error}>"));
                annotations.insert(name.clone(), text);
            }
            labels.set("alertname", &rule.name)
        }
    };
    let labels = labels.build().map_err(|error| error.to_string())?;
    Ok(Found { labels, annotations, value: sample.value })
}

fn render(name: &str, template: &Template, context: &Context<'_>) -> Result<String, String> {
    template.render(context).map_err(|error| format!("{name}: {error}"))
}
