use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::ScaleSpec;
use toml::de::DeValue;

use crate::reader::{At, quoted};
use crate::section::Section;

/// The product's target: 95 of 100 jobs wait at most this long.
const TARGET_WAIT: Duration = Duration::from_secs(5);
/// Kubernetes, Fly and a cold container take about this long; it is measured from the first start on.
const START_DELAY: Duration = Duration::from_secs(10);
/// Nobody waits for a replica that is not needed any more: its jobs have time.
const DRAIN: Duration = Duration::from_secs(900);
/// Most queues that one service can follow.
const MOST_QUEUES: usize = 100;

/// What a service follows, with the places of its queues' names.
pub(crate) struct ScaleDraft {
    /// `queues` and `concurrency` name their store once the sections have been compared.
    pub(crate) spec: ScaleSpec,
    pub(crate) queues: Vec<At<String>>,
}

pub(super) fn read(service: &Section<'_, '_>) -> Option<ScaleDraft> {
    let section = service.table("scale", "services.NAME.scale")?;
    let queues = section.strings("queues").map(|at| at.value).unwrap_or_default();
    if let Some(at) = queues.get(MOST_QUEUES) {
        section.reader.wrong(at, format!("a service follows at most {MOST_QUEUES} queues"), "name fewer");
    }
    let cpu = share(&section, "cpu");
    let connections = count(&section, "connections");
    if !["queues", "cpu", "connections"].iter().any(|key| section.value(key).is_some()) {
        let fix = "name what it follows: queues = [\"email\"], cpu = 0.7 or connections = 10000";
        section.reader.fault(&section.span, &section.path, "nothing to follow".to_owned(), fix);
    }
    let span = |key: &str, usual: Duration| section.duration(key).map_or(usual, |at| at.value);
    let spec = ScaleSpec {
        queues: queues.iter().map(|at| at.value.clone()).collect(),
        target_wait: span("target_wait", TARGET_WAIT),
        concurrency: concurrency(&section, &queues),
        max_waiting: count(&section, "max_waiting"),
        cpu,
        connections,
        drain: span("drain", DRAIN),
        start_delay: span("start_delay", START_DELAY),
    };
    Some(ScaleDraft { spec, queues })
}

/// A share of one core: `0.7`, or `"70%"`.
fn share(section: &Section<'_, '_>, key: &str) -> Option<f64> {
    let at = section.value(key)?;
    let number = match at.value.get_ref() {
        DeValue::Float(number) => number.as_str().parse().ok(),
        DeValue::String(text) => {
            text.strip_suffix('%').and_then(|it| it.parse::<f64>().ok()).map(|it| it / 100.0)
        }
        _ => None,
    };
    match number.filter(|it: &f64| (0.05..=64.0).contains(it)) {
        Some(number) => Some(number),
        None => {
            let problem = "this is not a share of a core";
            section.reader.wrong(&at, problem, "write 0.7 or \"70%\"; at least 0.05");
            None
        }
    }
}

fn count(section: &Section<'_, '_>, key: &str) -> Option<u64> {
    let at = section.value(key)?;
    let number = match at.value.get_ref() {
        DeValue::Integer(number) => number.as_str().replace('_', "").parse::<u64>().ok(),
        _ => None,
    };
    match number.filter(|it| (1..=1_000_000_000).contains(it)) {
        Some(number) => Some(number),
        None => {
            section.reader.wrong(&at, "this is not a count", "write a whole number from 1 to 1000000000");
            None
        }
    }
}

/// `concurrency = 20` for each queue, or `{ email = 20, sla-check = 10 }`.
fn concurrency(section: &Section<'_, '_>, queues: &[At<String>]) -> BTreeMap<String, u32> {
    let Some(at) = section.value("concurrency") else { return BTreeMap::new() };
    match at.value.get_ref() {
        DeValue::Integer(_) => match section.as_integer(&at, 1..=10_000) {
            Some(number) => {
                queues.iter().map(|queue| (queue.value.clone(), u32::from(number.value))).collect()
            }
            None => BTreeMap::new(),
        },
        DeValue::Table(table) => {
            let mut all = BTreeMap::new();
            for (name, value) in table {
                let queue: &str = name.get_ref();
                let place = At { value, key: format!("{}.{queue}", at.key), span: name.span() };
                if !queues.iter().any(|it| it.value == queue) {
                    let problem = format!("{} is not among the queues of this service", quoted(queue));
                    section.reader.wrong(&place, problem, "add it to queues, or remove it here");
                    continue;
                }
                if let Some(number) = section.as_integer(&place, 1..=10_000) {
                    all.insert(queue.to_owned(), u32::from(number.value));
                }
            }
            all
        }
        _ => {
            section.wrong_type(&at, "a number, or one for each queue: { email = 20 }");
            BTreeMap::new()
        }
    }
}
