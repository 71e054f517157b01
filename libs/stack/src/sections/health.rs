use std::time::Duration;

use ops_contract::{DeepCheck, Health};
use toml::de::DeValue;

use crate::reader::{At, quoted};
use crate::section::Section;

/// The seed's figures.
fn default() -> Health {
    Health {
        path: "/health".to_owned(),
        live_path: None,
        interval: Duration::from_secs(15),
        timeout: Duration::from_secs(2),
        retries: 3,
        start_period: Duration::from_secs(5),
        start_timeout: Duration::from_secs(60),
    }
}

/// `health = false`, `health = "/path"`, or a section.
pub(super) fn read(service: &Section<'_, '_>) -> Option<Health> {
    let mut health = default();
    let Some(at) = service.value("health") else { return Some(health) };
    match at.value.get_ref() {
        DeValue::Boolean(false) => return None,
        DeValue::String(text) => health.path = path(service, &at.with(text.clone().into_owned())),
        DeValue::Table(_) => {
            let section = service.as_table(&at, "services.NAME.health")?;
            if let Some(at) = section.string("path") {
                health.path = path(&section, &at);
            }
            health.live_path = section.string("live_path").map(|at| path(&section, &at));
            health.interval = section.duration("interval").map_or(health.interval, |at| at.value);
            health.timeout = section.duration("timeout").map_or(health.timeout, |at| at.value);
            health.retries = section.integer("retries", 1..=100).map_or(health.retries, |at| at.value);
            health.start_period = section.duration("start_period").map_or(health.start_period, |at| at.value);
            let longest = section.duration("start_timeout");
            health.start_timeout = longest.as_ref().map_or(health.start_timeout, |at| at.value);
            if let Some(at) = longest.filter(|at| at.value < health.start_period) {
                let fix = "make it longer: a start that has failed has no grace left";
                section.reader.wrong(&at, "start_timeout is shorter than start_period", fix);
            }
        }
        _ => service.wrong_type(&at, "a path such as \"/health\", false, or a section"),
    }
    Some(health)
}

/// `deep_check = "/path"`, or a section.
pub(super) fn deep_check(service: &Section<'_, '_>) -> Option<DeepCheck> {
    let at = service.value("deep_check")?;
    let interval = Duration::from_secs(15);
    match at.value.get_ref() {
        DeValue::String(text) => {
            Some(DeepCheck { path: path(service, &at.with(text.clone().into_owned())), interval })
        }
        DeValue::Table(_) => {
            let section = service.as_table(&at, "services.NAME.deep_check")?;
            if section.value("path").is_none() {
                section.missing("path", "add the path of a read, such as path = \"/v1/status\"");
            }
            let interval = section.duration("interval").map_or(interval, |at| at.value);
            Some(DeepCheck { path: path(&section, &section.string("path")?), interval })
        }
        _ => {
            service.wrong_type(&at, "a path such as \"/v1/status\", or a section");
            None
        }
    }
}

/// `metrics = false`, or a path; without it, what has health is asked for metrics too.
pub(super) fn metrics(service: &Section<'_, '_>, has_health: bool) -> Option<String> {
    let Some(at) = service.value("metrics") else { return has_health.then(|| "/metrics".to_owned()) };
    match at.value.get_ref() {
        DeValue::Boolean(false) => None,
        DeValue::String(text) if text.is_empty() => None,
        DeValue::String(text) => Some(path(service, &at.with(text.clone().into_owned()))),
        _ => {
            service.wrong_type(&at, "a path such as \"/metrics\", or false");
            None
        }
    }
}

fn path(section: &Section<'_, '_>, at: &At<String>) -> String {
    let good = at.value.starts_with('/')
        && at.value.len() <= 1024
        && at.value.chars().all(|it| it.is_ascii_graphic() && it != '#');
    if !good {
        let problem = format!("{} is not a path", quoted(&at.value));
        section.reader.wrong(at, problem, "begin with / and use no spaces: \"/health\"");
    }
    at.value.clone()
}
