use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};

use super::name;
use crate::{Labels, LabelsBuilder, LabelsError, NAME};

/// Who tells: `job` and `instance`, and what else is said of it.
#[derive(Debug, Default)]
pub(super) struct Target {
    job: String,
    instance: String,
    rest: LabelsBuilder,
}

impl Target {
    pub(super) fn of(attributes: &[KeyValue]) -> Self {
        let text = |key: &str| {
            let found = attributes.iter().find(|it| it.key == key);
            found.map(|it| value(it.value.as_ref())).unwrap_or_default()
        };
        let (service, namespace) = (text("service.name"), text("service.namespace"));
        let job = if namespace.is_empty() || service.is_empty() {
            service
        } else {
            format!("{namespace}/{service}")
        };
        let named = ["service.name", "service.namespace", "service.instance.id"];
        let mut rest = LabelsBuilder::default();
        merge(&mut rest, attributes.iter().filter(|it| !named.contains(&it.key.as_str())));
        Self { job, instance: text("service.instance.id"), rest }
    }

    /// The series that says what else is known of it; none when it has no name.
    pub(super) fn info(&self) -> Option<Labels> {
        if (self.job.is_empty() && self.instance.is_empty()) || self.rest.iter().next().is_none() {
            return None;
        }
        let mut labels = self.rest.clone();
        self.name(&mut labels);
        labels.set(NAME, "target_info").build().ok()
    }

    fn name(&self, labels: &mut LabelsBuilder) {
        for (name, value) in [("job", &self.job), ("instance", &self.instance)] {
            if !value.is_empty() {
                labels.set(name, value.as_str());
            }
        }
    }

    /// The labels of a point's series, but for the metric's name.
    pub(super) fn labels(&self, attributes: &[KeyValue]) -> LabelsBuilder {
        let mut labels = LabelsBuilder::default();
        merge(&mut labels, attributes.iter());
        self.name(&mut labels);
        labels
    }
}

/// Adds attributes; two that come to the same name are joined, in the order of what they were called.
fn merge<'a>(labels: &mut LabelsBuilder, attributes: impl Iterator<Item = &'a KeyValue>) {
    let ordered: BTreeMap<&str, &KeyValue> = attributes.map(|it| (it.key.as_str(), it)).collect();
    for (key, attribute) in ordered {
        let (name, value) = (name::label(key), value(attribute.value.as_ref()));
        if name.is_empty() || name == NAME {
            continue;
        }
        let joined = match labels.get(&name) {
            Some(before) => format!("{before};{value}"),
            None => value,
        };
        labels.set(name, joined);
    }
}

fn value(value: Option<&AnyValue>) -> String {
    match value.and_then(|it| it.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        other => match json(other) {
            serde_json::Value::Null => String::new(),
            it => it.to_string(),
        },
    }
}

fn json(value: Option<&Value>) -> serde_json::Value {
    match value {
        Some(Value::StringValue(it)) => it.as_str().into(),
        Some(Value::BoolValue(it)) => (*it).into(),
        Some(Value::IntValue(it)) => (*it).into(),
        Some(Value::DoubleValue(it)) => (*it).into(),
        Some(Value::ArrayValue(it)) => it.values.iter().map(|it| json(it.value.as_ref())).collect(),
        Some(Value::KvlistValue(it)) => {
            let pairs = it.values.iter();
            pairs
                .map(|it| (it.key.clone(), json(it.value.as_ref().and_then(|it| it.value.as_ref()))))
                .collect()
        }
        Some(Value::BytesValue(it)) => it.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
        Some(Value::StringValueStrindex(_)) | None => serde_json::Value::Null,
    }
}

impl Target {
    /// The label set of a point: the metric's name with `suffix`, and one more label where `more` has one.
    pub(super) fn series(
        labels: &LabelsBuilder,
        (name, suffix): (&str, &str),
        more: Option<(&str, String)>,
    ) -> Result<Labels, LabelsError> {
        let mut labels = labels.clone();
        labels.set(NAME, format!("{name}{suffix}"));
        if let Some((name, value)) = more {
            labels.set(name, value);
        }
        labels.build()
    }
}
