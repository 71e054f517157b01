//! The Alertmanager file: found, read, and looked at again when it changes. With a fault it goes on as it was.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use ops_alerts::oncall::OnCall;
use ops_alerts::routing::{Loaded, Routing};
use ops_alerts::templates::Templates;
use secrecy::ExposeSecret;

use super::{Config, calendars};
use crate::{App, clock, store};

/// Under this name the store keeps the file as it last was without a fault.
const KEPT: &str = "alertmanager_file";
/// And under this one the on-call file.
const KEPT_PEOPLE: &str = "oncall_file";
/// Largest template file in bytes, and most of them.
const LARGEST: u64 = 1 << 20;
const MOST: usize = 100;

/// When files were last written, and how long they are.
pub(crate) type Seen = Vec<(PathBuf, Option<(i64, i64, u64)>)>;

/// What is there now: the file itself and the templates that it named when it was last read.
pub(crate) fn look(app: &App) -> Seen {
    let Some(file) = app.stack.alerts.alertmanager_file.as_ref().map(PathBuf::from) else {
        return Seen::new();
    };
    let templates = templates(&file, &app.paging.config().routing.templates);
    let stamp = |path: PathBuf| {
        let about = path.metadata().ok().map(|it| (it.mtime(), it.mtime_nsec(), it.len()));
        (path, about)
    };
    let people = app.stack.alerts.oncall_file.as_ref().map(PathBuf::from);
    let mut seen: Seen = std::iter::once(file).chain(templates).chain(people).map(stamp).collect();
    for (_, place) in app.paging.config().on_call.calendars() {
        seen.push(match calendars::is_address(place) {
            true => (place.into(), Some((app.paging.calendars.get(place).version, 0, 0))),
            false => stamp(beside_people(app, place)),
        });
    }
    seen
}

/// A file that the on-call file names.
fn beside_people(app: &App, place: &str) -> PathBuf {
    let file = app.stack.alerts.oncall_file.as_deref().unwrap_or_default();
    Path::new(file).parent().unwrap_or(Path::new("/")).join(place)
}

/// A text of a file, `${NAME}` alone in it filled in from the environment or `.env`.
pub(super) fn variable(app: &App, text: &str) -> anyhow::Result<String> {
    let Some(name) = text.strip_prefix("${").and_then(|it| it.strip_suffix('}')) else {
        return Ok(text.to_owned());
    };
    lookup(app, name)
        .with_context(|| format!("{name} is not set: give it in the server's environment or its .env file"))
}

fn lookup(app: &App, name: &str) -> Option<String> {
    let set = std::env::var(name).ok().filter(|it| !it.is_empty());
    set.or_else(|| app.variables.get(name).map(|it| it.expose_secret().to_owned()))
}

/// Reads the file, or else takes up what the store keeps of it.
pub(crate) async fn load(app: &App) -> anyhow::Result<Config> {
    let Some(file) = &app.stack.alerts.alertmanager_file else { return Ok(Config::default()) };
    let text = tokio::fs::read_to_string(file).await;
    let mut db = app.store.connection().await?;
    let people = store::meta::get(&mut db, KEPT_PEOPLE).await?;
    let now = text.map_err(|error| vec![format!("{file}: {error}")]).and_then(|text| {
        let loaded = read(app, file, &text, people.as_deref())?;
        Ok((loaded, text))
    });
    match now {
        Ok(((config, people), text)) => {
            store::meta::set(&mut db, KEPT, &text).await?;
            if let Some(people) = people {
                store::meta::set(&mut db, KEPT_PEOPLE, &people).await?;
            }
            Ok(config)
        }
        Err(faults) => {
            for fault in &faults {
                tracing::error!(fault, "the Alertmanager file cannot be used: it counts as it was");
            }
            let kept = store::meta::get(&mut db, KEPT).await?;
            let kept = kept.and_then(|text| read(app, file, &text, people.as_deref()).ok());
            let kept = kept.map(|(config, _)| config).unwrap_or_default();
            Ok(Config { faults: faults.into_iter().chain(kept.faults).collect(), ..kept })
        }
    }
}

/// With the configuration comes the text of the on-call file, when that is without a fault. `people`: as that last was.
fn read(
    app: &App,
    file: &str,
    text: &str,
    people: Option<&str>,
) -> Result<(Config, Option<String>), Vec<String>> {
    let lookup = |name: &str| lookup(app, name);
    let words = |faults: Vec<ops_alerts::rules::Fault>| -> Vec<String> {
        faults.iter().map(ToString::to_string).collect()
    };
    let Loaded { routing, remarks } = Routing::load(file, text, &lookup).map_err(words)?;
    let mut texts = Vec::new();
    let mut faults = Vec::new();
    for path in templates(Path::new(file), &routing.templates) {
        match template(&path) {
            Ok(text) => texts.push((path.display().to_string(), text)),
            Err(problem) => faults.push(format!("{}: {problem}", path.display())),
        }
    }
    let templates =
        Templates::load(&texts).map_err(|wrong| wrong.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let mut remarks = words(remarks);
    for receiver in &routing.receivers {
        for it in &receiver.integrations {
            let of = |remark| format!("receiver {}, {}: {remark}", receiver.name, it.key);
            remarks.extend(it.integration.remarks().into_iter().map(of));
            remarks.extend(it.integration.remarks_on(&templates).into_iter().map(of));
        }
    }
    if let Some(name) = &app.stack.alerts.fallback_receiver
        && routing.receiver(name).is_none()
    {
        faults.push(format!("alerts.fallback_receiver: there is no receiver {name} in {file}"));
    }
    let (on_call, people) = on_call(app, &routing, people, &mut faults);
    let config = Config {
        routing: Arc::new(routing),
        templates: Arc::new(templates),
        on_call: Arc::new(on_call),
        faults,
        remarks,
    };
    Ok((config, people))
}

/// Who is on call by the file, or else by its text as it last was; the text that counts when it is the file's.
fn on_call(
    app: &App,
    routing: &Routing,
    kept: Option<&str>,
    said: &mut Vec<String>,
) -> (OnCall, Option<String>) {
    let Some(file) = &app.stack.alerts.oncall_file else { return (OnCall::default(), None) };
    let receivers: BTreeSet<&str> = routing.receivers.iter().map(|it| it.name.as_str()).collect();
    let load = |text: &str| OnCall::load(file, text, &receivers);
    let now =
        template(Path::new(file)).map_err(|problem| vec![format!("{file}: {problem}")]).and_then(|text| {
            let loaded = load(&text);
            loaded
                .map(|it| (it, Some(text)))
                .map_err(|faults| faults.iter().map(ToString::to_string).collect())
        });
    let (mut on_call, text) = now.unwrap_or_else(|faults| {
        said.extend(faults);
        (kept.and_then(|text| load(text).ok()).unwrap_or_default(), None)
    });
    read_calendars(app, file, &receivers, &mut on_call, said);
    (on_call, text)
}

/// Reads the calendars of schedules. What is wrong with one makes the rest not worthless.
fn read_calendars(
    app: &App,
    file: &str,
    receivers: &BTreeSet<&str>,
    on_call: &mut OnCall,
    said: &mut Vec<String>,
) {
    let now = clock::now();
    let calendars: Vec<(String, String)> =
        on_call.calendars().map(|(name, place)| (name.to_owned(), place.to_owned())).collect();
    for (name, place) in calendars {
        let key = format!("{file}: schedules.{name}.calendar");
        let text = if calendars::is_address(&place) {
            let fetched = app.paging.calendars.get(&place);
            match (&fetched.problem, fetched.at) {
                (Some(problem), None) => said.push(format!("{key}: cannot be had: {problem}")),
                (Some(problem), Some(at)) if now.since(at) >= calendars::OLD => said.push(format!(
                    "{key}: was last had {} minutes ago and counts as it was then: {problem}",
                    now.since(at).as_secs() / 60
                )),
                _ => {}
            }
            fetched.text
        } else {
            let text = template(&beside_people(app, &place));
            text.map(Into::into).map_err(|problem| said.push(format!("{key}: {problem}"))).ok()
        };
        if let Some(text) = text {
            let remarks = on_call.read_calendar(&name, &text, receivers, now);
            said.extend(remarks.unwrap_or_else(|faults| faults).iter().map(ToString::to_string));
        }
    }
}

fn template(path: &Path) -> Result<String, String> {
    let length = path.metadata().map_err(|error| error.to_string())?.len();
    if length > LARGEST {
        return Err(format!("is larger than {LARGEST} bytes"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// The files that patterns name, relative to the configuration; `*` stands in the last part only.
fn templates(file: &Path, patterns: &[String]) -> Vec<PathBuf> {
    let base = file.parent().unwrap_or(Path::new("/"));
    let mut found: Vec<PathBuf> =
        patterns.iter().flat_map(|it| crate::alerting::expand(&base.join(it).to_string_lossy())).collect();
    found.sort();
    found.dedup();
    found.truncate(MOST);
    found
}
