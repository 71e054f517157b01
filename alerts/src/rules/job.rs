use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Instant;

use ops_promql::Query;
use ops_promql::template::{Context, Template};
use ops_samples::{Labels, LabelsBuilder, NAME, Sample};

use super::inputs::{Inputs, Look, Watch};
use super::{Backend, Rule, RuleAction, RuleSet};

/// One evaluation that is due. Holds no lock and changes nothing.
#[derive(Debug)]
pub struct Job {
    pub(crate) index: usize,
    pub(crate) rules: Arc<RuleSet>,
    /// When it is evaluated for; `None`: now.
    pub(crate) at_ms: Option<i64>,
    /// What is pending or fires, by fingerprint.
    pub(crate) living: Vec<(String, Watch)>,
    /// What a recording rule wrote last.
    pub(crate) recorded: Arc<HashSet<Labels>>,
    /// What of it was missing because its data was.
    pub(crate) silent: Arc<HashSet<Labels>>,
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
    /// Those of them whose own series are.
    pub(crate) own: BTreeSet<String>,
    /// Recorded series that are missing because their data is; nobody ended them.
    pub(crate) silent: HashSet<Labels>,
    /// Those of them that nothing is known of any more.
    pub(crate) forgotten: HashSet<Labels>,
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

impl Outcome {
    /// The rule's id.
    #[must_use]
    pub fn rule(&self) -> &str {
        self.rules.entries.get(self.index).map_or("", |entry| &entry.rule.id)
    }
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
            own: BTreeSet::new(),
            silent: HashSet::new(),
            forgotten: HashSet::new(),
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
        let mut look = Look::new(backend, outcome.at_ms);
        let there: HashSet<String> = match self.living.is_empty() {
            true => HashSet::new(),
            false => found.iter().map(|it| fingerprint(&it.labels)).collect(),
        };
        for (fingerprint, watch) in self.living.iter().filter(|(it, _)| !there.contains(it)) {
            let gone = match look.judge(&rule.query, Some(watch)) {
                Ok(Inputs::Gone) | Err(_) => true,
                Ok(Inputs::Unknown) => watch.held,
                Ok(Inputs::Live | Inputs::Ended) => false,
            };
            if gone {
                outcome.gone.insert(fingerprint.clone());
            }
            if gone && look.own {
                outcome.own.insert(fingerprint.clone());
            }
        }
        self.look_for_recorded(rule, found, &mut look, (&mut outcome.silent, &mut outcome.forgotten));
        outcome.inputs = match found.is_empty() {
            false => Some(Inputs::Live),
            true if self.check_inputs => look.judge(&rule.query, None).ok(),
            true => None,
        };
    }

    /// Looks why recorded series are missing.
    fn look_for_recorded(
        &self,
        rule: &Rule,
        found: &[Found],
        look: &mut Look<'_>,
        (silent, forgotten): (&mut HashSet<Labels>, &mut HashSet<Labels>),
    ) {
        if self.recorded.is_empty() {
            return;
        }
        let there: HashSet<&Labels> = found.iter().map(|it| &it.labels).collect();
        for labels in self.recorded.iter().filter(|it| !there.contains(it)) {
            let held = self.silent.contains(labels);
            let watch = Watch { labels: rule.own_labels(labels), held, own: held };
            let inputs = look.judge(&rule.query, Some(&watch));
            if matches!(inputs, Ok(Inputs::Live | Inputs::Ended)) {
                continue;
            }
            if matches!(inputs, Ok(Inputs::Unknown)) || look.forgotten {
                forgotten.insert(labels.clone());
            } else {
                silent.insert(labels.clone());
            }
        }
    }
}

/// Sixteen hexadecimal digits over a label set.
pub(crate) fn fingerprint(labels: &Labels) -> String {
    format!("{:016x}", labels.fingerprint())
}

fn found(rule: &Rule, series: &Labels, sample: Sample, context: &Context<'_>) -> Result<Found, String> {
    let mut labels: LabelsBuilder = series.to_builder();
    labels.remove(NAME);
    for (name, (text, template)) in &rule.labels {
        // As in Prometheus, those of a recorded series are no templates.
        labels.set(name, if rule.is_alerting() { render(name, template, context)? } else { text.clone() });
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
