use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ops_promql::template::Template;
use ops_promql::{Query, ValueKind};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Fault, Group, Rule, RuleAction, duration};

/// Largest file in bytes.
const LARGEST: usize = 8 << 20;
/// Most rules of a file.
const MOST_RULES: usize = 100_000;

/// A Prometheus rule file, parsed and checked.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// Where it was read from.
    pub name: String,
    /// Its groups in order.
    pub groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    groups: Option<Vec<Spanned<RawGroup>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGroup {
    name: String,
    interval: Option<String>,
    query_offset: Option<String>,
    #[serde(default)]
    limit: i64,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    rules: Option<Vec<Spanned<RawRule>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    alert: Option<String>,
    record: Option<String>,
    expr: Option<String>,
    #[serde(rename = "for")]
    lasting: Option<String>,
    keep_firing_for: Option<String>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

impl RuleFile {
    /// Reads a rule file.
    ///
    /// # Errors
    /// All that is wrong with it. YAML that cannot be read is one fault.
    pub fn parse(name: &str, yaml: &str) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader { file: name, faults: Vec::new(), rules: 0 };
        if yaml.len() > LARGEST {
            reader.fault(None, "", format!("the file is larger than {LARGEST} bytes"), "split it");
            return Err(reader.faults);
        }
        let raw: RawFile = match serde_saphyr::from_str(yaml) {
            Ok(raw) => raw,
            // An empty file has no rules, and that is fine.
            Err(_) if is_blank(yaml) => RawFile { groups: None },
            Err(error) => {
                let line = error.location().map(|at| at.line());
                reader.fault(line, "", error.without_snippet().to_string(), "");
                return Err(reader.faults);
            }
        };
        let mut names = BTreeSet::new();
        let mut groups = Vec::new();
        for group in raw.groups.unwrap_or_default() {
            if !names.insert(group.value.name.clone()) {
                let problem = format!("the group {:?} is there twice", group.value.name);
                reader.fault(Some(group.defined.line()), "", problem, "give each its own name");
            }
            groups.push(reader.group(group.value, group.defined.line()));
        }
        if reader.faults.is_empty() { Ok(Self { name: name.to_owned(), groups }) } else { Err(reader.faults) }
    }

    /// How many rules it has.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.groups.iter().map(|group| group.rules.len()).sum()
    }
}

fn is_blank(yaml: &str) -> bool {
    yaml.lines().all(|line| matches!(line.trim(), "" | "---") || line.trim_start().starts_with('#'))
}

struct Reader<'a> {
    file: &'a str,
    faults: Vec<Fault>,
    rules: usize,
}

impl Reader<'_> {
    fn fault(&mut self, line: Option<u64>, place: &str, problem: impl Into<String>, fix: &str) {
        self.faults.push(Fault {
            file: self.file.to_owned(),
            line: line.filter(|line| *line > 0),
            place: place.to_owned(),
            problem: problem.into(),
            fix: fix.to_owned(),
        });
    }

    fn group(&mut self, raw: RawGroup, line: u64) -> Group {
        let place = format!("group {}", raw.name);
        if raw.name.is_empty() {
            self.fault(Some(line), &place, "the group has no name", "write name: …");
        }
        let interval_ms = self.duration(raw.interval.as_deref(), "interval", line, &place);
        let query_offset_ms = self.duration(raw.query_offset.as_deref(), "query_offset", line, &place);
        let limit = usize::try_from(raw.limit).unwrap_or_else(|_| {
            self.fault(Some(line), &place, "limit is negative", "write 0 for no limit");
            0
        });
        let shared = raw.labels.unwrap_or_default();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut rules = Vec::new();
        for rule in raw.rules.unwrap_or_default() {
            self.rules += 1;
            if self.rules > MOST_RULES {
                self.fault(Some(rule.defined.line()), &place, "the file has too many rules", "split it");
                break;
            }
            let line = rule.defined.line();
            if let Some(rule) = self.rule(&raw.name, rule.value, line, &shared, &mut places) {
                rules.push(Arc::new(rule));
            }
        }
        Group {
            name: raw.name,
            interval_ms: interval_ms.filter(|it| *it > 0),
            limit,
            query_offset_ms: query_offset_ms.unwrap_or(0),
            rules,
        }
    }

    fn rule(
        &mut self,
        group: &str,
        raw: RawRule,
        line: u64,
        shared: &BTreeMap<String, String>,
        places: &mut BTreeMap<String, usize>,
    ) -> Option<Rule> {
        let faults = self.faults.len();
        let (name, alerting) = match (raw.alert, raw.record) {
            (Some(name), None) => (name, true),
            (None, Some(name)) => (name, false),
            (Some(_), Some(_)) => {
                let place = format!("group {group}");
                self.fault(Some(line), &place, "a rule has both alert and record", "make two rules of it");
                return None;
            }
            (None, None) => {
                let place = format!("group {group}");
                self.fault(Some(line), &place, "a rule has neither alert nor record", "write one of them");
                return None;
            }
        };
        let kind = if alerting { "alert" } else { "record" };
        let place = format!("group {group}, {kind} {name}");
        if name.is_empty() || (!alerting && !is_metric_name(&name)) {
            self.fault(Some(line), &place, format!("{name:?} is not a name for it"), "");
        }
        let query = self.expression(raw.expr, line, &place);
        let labels: BTreeMap<String, String> =
            shared.clone().into_iter().chain(raw.labels.unwrap_or_default()).collect();
        let labels = self.templates(labels, "label", line, &place);
        let annotations = self.templates(raw.annotations.unwrap_or_default(), "annotation", line, &place);
        let for_ms = self.duration(raw.lasting.as_deref(), "for", line, &place);
        let keep = self.duration(raw.keep_firing_for.as_deref(), "keep_firing_for", line, &place);
        if !alerting && (for_ms.is_some() || keep.is_some() || !annotations.is_empty()) {
            let problem = "for, keep_firing_for and annotations belong to alerts";
            self.fault(Some(line), &place, problem, "remove them");
        }
        let action = match alerting {
            true => RuleAction::Alert {
                for_ms: for_ms.unwrap_or(0),
                keep_firing_for_ms: keep.unwrap_or(0),
                annotations,
            },
            false => RuleAction::Record,
        };
        let number = places.entry(name.clone()).and_modify(|it| *it += 1).or_insert(0);
        let id = format!("{}/{group}/{name}#{number}", stem(self.file));
        let query = query?;
        (self.faults.len() == faults).then_some(Rule { id, name, query, labels, action, line: Some(line) })
    }

    fn expression(&mut self, text: Option<String>, line: u64, place: &str) -> Option<Query> {
        let Some(text) = text.filter(|it| !it.trim().is_empty()) else {
            self.fault(Some(line), place, "expr is missing", "write expr: …");
            return None;
        };
        match Query::parse(&text) {
            Ok(query) if matches!(query.kind(), ValueKind::Vector | ValueKind::Scalar) => Some(query),
            Ok(_) => {
                let fix = "wrap a range in a function such as rate()";
                self.fault(Some(line), place, "the expression gives neither a vector nor a number", fix);
                None
            }
            Err(error) => {
                self.fault(Some(line), place, format!("the expression cannot be read: {error}"), "");
                None
            }
        }
    }

    fn templates(
        &mut self,
        texts: BTreeMap<String, String>,
        kind: &str,
        line: u64,
        place: &str,
    ) -> BTreeMap<String, (String, Template)> {
        let mut templates = BTreeMap::new();
        for (name, text) in texts {
            if name.is_empty() || name == ops_samples::NAME || (kind == "annotation" && !is_label_name(&name))
            {
                self.fault(Some(line), place, format!("{name:?} is not a name of a {kind}"), "");
                continue;
            }
            match Template::parse(&text) {
                Ok(template) => {
                    templates.insert(name, (text, template));
                }
                Err(error) => {
                    self.fault(Some(line), place, format!("the {kind} {name} cannot be read: {error}"), "");
                }
            }
        }
        templates
    }

    fn duration(&mut self, text: Option<&str>, key: &str, line: u64, place: &str) -> Option<i64> {
        let text = text?;
        let parsed = duration::parse(text.trim());
        if parsed.is_none() {
            let problem = format!("{key}: {text:?} is not a duration");
            self.fault(Some(line), place, problem, "write it like 90s, 5m or 1h30m");
        }
        parsed
    }
}

/// The file's name without folder and ending.
fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let name = name.split(' ').next().unwrap_or(name);
    name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")).unwrap_or(name)
}

fn is_metric_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['{', '}'])
}

fn is_label_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
