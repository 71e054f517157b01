//! What templates can speak of: Alertmanager's data under its names, and our own additions.

use std::collections::BTreeMap;
use std::sync::Arc;

use ops_contract::{Notification, NotificationStatus, NotifiedAlert};
use ops_promql::template::{Object, TemplateError, Value};

use super::moment::Moment;
use crate::receivers::{Telling, reason};

/// Dot at the beginning of a text.
pub(super) fn root(note: &Notification, telling: &Telling<'_>) -> Value {
    let of = |all: fn(&NotifiedAlert) -> &BTreeMap<String, String>| kv(common(note, all));
    let page = |url: Option<&str>| Value::text(url.unwrap_or_default());
    let count = i64::try_from(note.truncated).unwrap_or(i64::MAX);
    Value::Data(Arc::new([
        ("Receiver", Value::text(note.receiver.as_str())),
        ("Status", Value::text(status(note.status))),
        ("Alerts", Value::Object(Arc::new(Alerts::new(&note.alerts)))),
        ("NotificationReason", Value::text(reason(note, telling))),
        ("GroupLabels", kv(note.group_labels.clone())),
        ("CommonLabels", of(|it| &it.labels)),
        ("CommonAnnotations", of(|it| &it.annotations)),
        ("ExternalURL", Value::text(telling.external_url)),
        ("GroupKey", Value::text(note.group_key.as_str())),
        ("TruncatedAlerts", Value::Int(count)),
        ("AckURL", page(telling.ack_url)),
        ("Test", Value::Bool(telling.test)),
    ]))
}

/// Labels or annotations that all alerts share.
fn common(
    note: &Notification,
    of: fn(&NotifiedAlert) -> &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let Some((first, rest)) = note.alerts.split_first() else { return BTreeMap::new() };
    let mut shared = of(first).clone();
    shared.retain(|name, value| rest.iter().all(|it| of(it).get(name) == Some(value)));
    shared
}

fn status(status: NotificationStatus) -> &'static str {
    match status {
        NotificationStatus::Firing => "firing",
        NotificationStatus::Resolved => "resolved",
    }
}

fn alert(alert: &NotifiedAlert) -> Value {
    let ends_at = alert.ends_at.map_or_else(Moment::none, Moment::utc);
    Value::Data(Arc::new([
        ("Status", Value::text(status(alert.status))),
        ("Labels", kv(alert.labels.clone())),
        ("Annotations", kv(alert.annotations.clone())),
        ("StartsAt", Value::Object(Arc::new(Moment::utc(alert.starts_at)))),
        ("EndsAt", Value::Object(Arc::new(ends_at))),
        ("GeneratorURL", Value::text(alert.generator_url.as_str())),
        ("Fingerprint", Value::text(alert.fingerprint.as_str())),
        ("Folded", texts(alert.folded.iter().map(String::as_str))),
    ]))
}

fn kv(map: BTreeMap<String, String>) -> Value {
    Value::Object(Arc::new(Kv(map)))
}

fn texts<'a>(all: impl Iterator<Item = &'a str>) -> Value {
    Value::List(all.map(Value::text).collect())
}

fn no_arguments(name: &str, arguments: &[Value]) -> Result<(), TemplateError> {
    match arguments {
        [] => Ok(()),
        _ => Err(TemplateError::new(format!("{name} takes no arguments"))),
    }
}

/// `template.Alerts`.
#[derive(Debug)]
struct Alerts {
    all: Vec<Value>,
    firing: Option<Arc<Self>>,
    resolved: Option<Arc<Self>>,
}

impl Alerts {
    fn new(alerts: &[NotifiedAlert]) -> Self {
        let only = |status| {
            let all = alerts.iter().filter(|it| it.status == status).map(alert).collect();
            Some(Arc::new(Self { all, firing: None, resolved: None }))
        };
        Self {
            all: alerts.iter().map(alert).collect(),
            firing: only(NotificationStatus::Firing),
            resolved: only(NotificationStatus::Resolved),
        }
    }
}

impl Object for Alerts {
    fn kind(&self) -> &'static str {
        "template.Alerts"
    }

    fn field(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, TemplateError>> {
        let part = match name {
            "Firing" => self.firing.as_ref()?,
            "Resolved" => self.resolved.as_ref()?,
            _ => return None,
        };
        Some(no_arguments(name, arguments).map(|()| {
            let part: Arc<dyn Object> = Arc::<Self>::clone(part);
            Value::Object(part)
        }))
    }

    fn count(&self) -> Option<usize> {
        Some(self.all.len())
    }

    fn items(&self) -> Vec<(Value, Value)> {
        (0..).map(Value::Int).zip(self.all.iter().cloned()).collect()
    }

    fn text(&self) -> String {
        Value::List(self.all.clone().into()).shown()
    }
}

/// `template.KV`: labels or annotations.
#[derive(Debug)]
struct Kv(BTreeMap<String, String>);

impl Kv {
    /// As Alertmanager sorts them: by name, `alertname` first.
    fn sorted(&self) -> Pairs {
        let mut all: Vec<(String, String)> =
            self.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        all.sort_by_key(|(name, _)| name != "alertname");
        Pairs(all)
    }

    fn without(&self, arguments: &[Value]) -> Result<Value, TemplateError> {
        let [Value::List(names)] = arguments else {
            return Err(TemplateError::new("Remove takes a list: write Remove (stringSlice \"name\")"));
        };
        let mut rest = self.0.clone();
        for name in names.iter() {
            if let Value::Text(name) = name {
                rest.remove(&**name);
            }
        }
        Ok(kv(rest))
    }
}

impl Object for Kv {
    fn kind(&self) -> &'static str {
        "template.KV"
    }

    fn field(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, TemplateError>> {
        if name == "Remove" {
            return Some(self.without(arguments));
        }
        let value = match name {
            "SortedPairs" => Value::Object(Arc::new(self.sorted())),
            "Names" | "Values" => return self.sorted().field(name, arguments),
            "String" => Value::text(self.text()),
            key => Value::text(self.0.get(key).map_or("", String::as_str)),
        };
        Some(no_arguments(name, arguments).map(|()| value))
    }

    fn count(&self) -> Option<usize> {
        Some(self.0.len())
    }

    fn items(&self) -> Vec<(Value, Value)> {
        let pair =
            |(name, value): (&String, &String)| (Value::text(name.as_str()), Value::text(value.as_str()));
        self.0.iter().map(pair).collect()
    }

    fn missing(&self) -> Option<Value> {
        Some(Value::text(""))
    }

    fn text(&self) -> String {
        self.sorted().text()
    }
}

/// `template.Pairs`: names and values in their order.
#[derive(Debug)]
struct Pairs(Vec<(String, String)>);

impl Object for Pairs {
    fn kind(&self) -> &'static str {
        "template.Pairs"
    }

    fn field(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, TemplateError>> {
        let value = match name {
            "Names" => texts(self.0.iter().map(|(name, _)| name.as_str())),
            "Values" => texts(self.0.iter().map(|(_, value)| value.as_str())),
            "String" => Value::text(self.text()),
            _ => return None,
        };
        Some(no_arguments(name, arguments).map(|()| value))
    }

    fn count(&self) -> Option<usize> {
        Some(self.0.len())
    }

    fn items(&self) -> Vec<(Value, Value)> {
        let pair = |(name, value): &(String, String)| {
            let fields = [("Name", Value::text(name.as_str())), ("Value", Value::text(value.as_str()))];
            Value::Data(Arc::new(fields))
        };
        (0..).map(Value::Int).zip(self.0.iter().map(pair)).collect()
    }

    fn text(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
    }
}
