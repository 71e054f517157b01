use std::collections::BTreeMap;

use crate::kind::Value;
use crate::{Environment, Fault, Need, Report, VARIABLES, Variable, lookalike, rules};

/// Longest value that is read at all.
const LONGEST: usize = 64 * 1024;

/// Checks variables for their own `NODE_ENV`, or for `environment` instead. Warnings included.
pub fn check<I, K, V>(variables: I, environment: Option<Environment>) -> Report
where
    I: IntoIterator<Item = (K, V)>,
    K: Into<String>,
    V: Into<String>,
{
    match read(variables, environment) {
        Ok(values) => values.report,
        Err(report) => report,
    }
}

/// Values that have their kinds, by variable.
pub(crate) struct Values {
    pub(crate) environment: Environment,
    pub(crate) by_name: BTreeMap<&'static str, Value>,
    pub(crate) report: Report,
}

pub(crate) fn read<I, K, V>(variables: I, environment: Option<Environment>) -> Result<Values, Report>
where
    I: IntoIterator<Item = (K, V)>,
    K: Into<String>,
    V: Into<String>,
{
    let mut raw: BTreeMap<String, String> =
        variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    // `FOO=` in a file means the same as no line at all.
    raw.retain(|_, value| !value.trim().is_empty());
    if let Some(environment) = environment {
        raw.insert("NODE_ENV".into(), environment.as_str().into());
    }
    // An unreadable NODE_ENV is a fault of its own; the rest is then held to the strictest rules.
    let environment = match raw.get("NODE_ENV") {
        Some(word) => word.trim().parse().unwrap_or(Environment::Production),
        None => Environment::Development,
    };

    let report = Report { environment, ..Report::default() };
    let mut values = Values { environment, by_name: BTreeMap::new(), report };
    for variable in VARIABLES {
        values.read_one(variable, raw.get(variable.name).map(|value| value.trim()));
    }
    values.check_groups();
    rules::check(&mut values);
    values.report.warnings.extend(lookalike::warnings(&raw));
    if values.report.is_good() { Ok(values) } else { Err(values.report) }
}

impl Values {
    fn read_one(&mut self, variable: &'static Variable, raw: Option<&str>) {
        let needed = variable.need.in_environment(self.environment);
        let Some(raw) = raw.or(variable.default.filter(|_| !needed)) else {
            if needed {
                self.missing(variable, &format!("{} requires it", self.environment));
            } else if variable.need == Need::Recommended && self.environment.is_deployed() {
                self.warn(variable, "is not set", "set it, or live without it knowingly");
            }
            return;
        };
        if raw.len() > LONGEST {
            return self.fault(variable, "is longer than 64 KiB", &format!("set {}", variable.name));
        }
        if variable.is_placeholder(raw) {
            if self.environment.is_deployed() {
                let problem = "still has the placeholder of the example";
                return self.fault(variable, problem, &fix(variable));
            }
            // A developer's copy of the example file runs; what needs a real account stays off.
            if variable.kind == crate::Kind::Dsn {
                return;
            }
        }
        match variable.kind.parse(raw) {
            Ok(value) => {
                self.by_name.insert(variable.name, value);
            }
            Err(problem) => {
                let problem = format!("{problem}{}", shown(variable, raw));
                self.fault(variable, &problem, &fix(variable));
            }
        }
    }

    /// The chosen storage needs its whole group.
    fn check_groups(&mut self) {
        let (need, provider) = match self.text("STORAGE_PROVIDER").as_deref() {
            Some("cloudinary") => (Need::WithCloudinary, "cloudinary"),
            Some("s3") => (Need::WithS3, "s3"),
            _ => return,
        };
        for variable in VARIABLES.iter().filter(|variable| variable.need == need) {
            let faulty = self.report.faults.iter().any(|fault| fault.variable == variable.name);
            if !faulty && !self.by_name.contains_key(variable.name) {
                self.missing(variable, &format!("STORAGE_PROVIDER={provider} requires it"));
            }
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.by_name.get(name)? {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    pub(crate) fn missing(&mut self, variable: &Variable, why: &str) {
        self.fault(variable, &format!("is missing: {why}"), &fix(variable));
    }

    pub(crate) fn fault(&mut self, variable: &Variable, problem: &str, fix: &str) {
        self.report.faults.push(finding(variable, problem, fix));
    }

    pub(crate) fn warn(&mut self, variable: &Variable, problem: &str, fix: &str) {
        self.report.warnings.push(finding(variable, problem, fix));
    }
}

fn finding(variable: &Variable, problem: &str, fix: &str) -> Fault {
    Fault {
        variable: variable.name.into(),
        problem: problem.into(),
        expected: format!("{}: {}", variable.kind, variable.description),
        fix: fix.into(),
    }
}

fn fix(variable: &Variable) -> String {
    match variable.kind {
        crate::Kind::Secret { min } if min > 1 => {
            format!("set {} to the output of: openssl rand -base64 48", variable.name)
        }
        _ if variable.placeholder => format!("set {} to your own value", variable.name),
        _ => format!("set it, for example {}={}", variable.name, variable.example),
    }
}

/// The value, where it may be shown: never a secret, nor what somebody pasted with credentials in it.
fn shown(variable: &Variable, raw: &str) -> String {
    if variable.secret || raw.contains('@') || raw.chars().count() > 40 || raw.contains(char::is_control) {
        return String::new();
    }
    format!(" (it is `{raw}`)")
}
