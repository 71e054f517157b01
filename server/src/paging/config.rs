//! The Alertmanager file: found, read, and looked at again when it changes. With a fault it goes on as it was.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ops_alerts::oncall::OnCall;
use ops_alerts::routing::{Loaded, Routing};
use ops_alerts::templates::Templates;
use secrecy::ExposeSecret;

use super::Config;
use crate::{App, store};

/// Under this name the store keeps the file as it last was without a fault.
const KEPT: &str = "alertmanager_file";
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
    std::iter::once(file).chain(templates).chain(people).map(stamp).collect()
}

/// Reads the file, or else takes up what the store keeps of it.
pub(crate) async fn load(app: &App) -> anyhow::Result<Config> {
    let Some(file) = &app.stack.alerts.alertmanager_file else { return Ok(Config::default()) };
    let text = tokio::fs::read_to_string(file).await;
    let now = text.map_err(|error| vec![format!("{file}: {error}")]).and_then(|text| {
        let loaded = read(app, file, &text)?;
        Ok((loaded, text))
    });
    let mut db = app.store.connection().await?;
    match now {
        Ok((config, text)) => {
            store::meta::set(&mut db, KEPT, &text).await?;
            Ok(config)
        }
        Err(faults) => {
            for fault in &faults {
                tracing::error!(fault, "the Alertmanager file cannot be used: it counts as it was");
            }
            let kept = store::meta::get(&mut db, KEPT).await?;
            let kept = kept.and_then(|text| read(app, file, &text).ok());
            Ok(Config { faults, ..kept.unwrap_or_default() })
        }
    }
}

fn read(app: &App, file: &str, text: &str) -> Result<Config, Vec<String>> {
    let lookup = |name: &str| {
        let set = std::env::var(name).ok().filter(|it| !it.is_empty());
        set.or_else(|| app.variables.get(name).map(|it| it.expose_secret().to_owned()))
    };
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
    let on_call = on_call(app, &routing).unwrap_or_else(|found| {
        faults.extend(found);
        Arc::default()
    });
    Ok(Config { routing: Arc::new(routing), templates: Arc::new(templates), on_call, faults, remarks })
}

fn on_call(app: &App, routing: &Routing) -> Result<Arc<OnCall>, Vec<String>> {
    let Some(file) = &app.stack.alerts.oncall_file else { return Ok(Arc::default()) };
    let text = template(Path::new(file)).map_err(|problem| vec![format!("{file}: {problem}")])?;
    let receivers = routing.receivers.iter().map(|it| it.name.as_str()).collect();
    let loaded = OnCall::load(file, &text, &receivers);
    loaded.map(Arc::new).map_err(|faults| faults.iter().map(ToString::to_string).collect())
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
