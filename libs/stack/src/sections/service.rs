use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::{
    Driver, Environment, Program, ReplicaBounds, RestartMode, RestartPolicy, ServiceRole, ServiceSpec,
    StopPolicy,
};

use super::{health, scale};
use crate::reader::{At, quoted};
use crate::section::Section;
use crate::{Context, programs, shell};

/// The most replicas of one service on one machine.
const MOST_REPLICAS: u16 = 200;

/// One service, with the places of what must be compared with other sections.
pub(crate) struct ServiceDraft {
    /// `env`, `secrets` and `depends_on` are filled in from below.
    pub(crate) spec: ServiceSpec,
    pub(crate) place: At<()>,
    pub(crate) port: Option<At<u16>>,
    pub(crate) depends_on: Vec<At<String>>,
    pub(crate) env: BTreeMap<String, At<String>>,
    pub(crate) secrets: Vec<At<String>>,
    pub(crate) route: Option<At<String>>,
    /// Where it names its queues.
    pub(crate) queues: Vec<At<String>>,
}

pub(super) fn read(section: &Section<'_, '_>, environment: Environment, context: &Context) -> ServiceDraft {
    let route = section.string("route");
    if let Some(at) = route.as_ref().filter(|at| !is_route(&at.value)) {
        let problem = format!("{} is not a path prefix", quoted(&at.value));
        section.reader.wrong(at, problem, "begin with / and use letters, digits and ._-/ only");
    }
    let role = section.choice(
        "role",
        &[
            ("frontend", ServiceRole::Frontend),
            ("background", ServiceRole::Background),
            ("infrastructure", ServiceRole::Infrastructure),
        ],
    );
    let usual = if route.is_some() { ServiceRole::Frontend } else { ServiceRole::Background };
    let role = role.map_or(usual, |at| at.value);
    let driver = section.choice("driver", &[("process", Driver::Process), ("dry_run", Driver::DryRun)]);
    let port = section.integer("port", 1..=u16::MAX);
    let replicas = replicas(section, environment, role, port.is_some());
    if let Some(at) = port.as_ref().filter(|_| replicas.max > 1) {
        let fix = "remove port, then each replica is handed a free one in PORT; or allow one replica only";
        section.reader.wrong(at, format!("{} replicas cannot share one port", replicas.max), fix);
    }
    let scale = scale::read(section);
    if let Some(at) = section.value("scale").filter(|_| replicas.min == replicas.max && scale.is_some()) {
        let fix = "let replicas.min be less than replicas.max, or remove scale";
        section.reader.wrong(&at, format!("there are always {} replicas", replicas.min), fix);
    }
    let health = health::read(section);
    let spec = ServiceSpec {
        role,
        program: program(section, context),
        driver: driver.map_or(Driver::Process, |at| at.value),
        port: port.as_ref().map(|at| at.value),
        replicas,
        metrics: health::metrics(section, health.is_some()),
        health,
        deep_check: health::deep_check(section),
        restart: restart(section),
        stop: stop(section),
        depends_on: Vec::new(),
        env: BTreeMap::new(),
        secrets: Vec::new(),
        scale: scale.as_ref().map(|it| it.spec.clone()),
        route: route.as_ref().map(|at| at.value.clone()),
    };
    ServiceDraft {
        spec,
        place: At { value: (), key: section.path.clone(), span: section.span.clone() },
        port,
        depends_on: section.strings("depends_on").map(|at| at.value).unwrap_or_default(),
        env: section.variables("env"),
        secrets: section.strings("secrets").map(|at| at.value).unwrap_or_default(),
        route,
        queues: scale.map(|it| it.queues).unwrap_or_default(),
    }
}

fn is_route(path: &str) -> bool {
    path.starts_with('/')
        && path.len() <= 200
        && path.chars().all(|it| it.is_ascii_alphanumeric() || "/._-".contains(it))
}

/// The program as an absolute path or a name in `PATH`, with its arguments.
fn program(section: &Section<'_, '_>, context: &Context) -> Program {
    let directory = match section.string("directory") {
        Some(at) => {
            let directory = context.base_dir.join(&at.value);
            if !directory.is_dir() {
                let problem = format!("{} is not a folder", quoted(&at.value));
                section.reader.wrong(&at, problem, "name an existing one, relative to the stack file");
            }
            directory
        }
        None => context.base_dir.clone(),
    };
    let mut command = command(section);
    if let Some(at) = command.first_mut() {
        match programs::find(&at.value, &context.base_dir) {
            // A name stays a name: the agent may have another PATH.
            Ok(path) if at.value.contains('/') => at.value = path.to_string_lossy().into_owned(),
            Ok(_) => {}
            Err(why) => {
                let fix = "build or install it, or correct the path (relative to the stack file)";
                section.reader.wrong(at, format!("the program {} {why}", quoted(&at.value)), fix);
            }
        }
    }
    Program {
        command: command.into_iter().map(|at| at.value).collect(),
        directory: directory.to_string_lossy().into_owned(),
    }
}

fn command(section: &Section<'_, '_>) -> Vec<At<String>> {
    const FIX: &str =
        "write the program and its arguments: run = \"node server.js\" or run = [\"node\", \"server.js\"]";
    let Some(at) = section.value("run") else {
        section.missing("run", FIX);
        return Vec::new();
    };
    let words = if at.value.get_ref().is_str() {
        let text = at.value.get_ref().as_str().unwrap_or_default();
        match shell::split(text) {
            Ok(words) => words.into_iter().map(|word| at.with(word)).collect(),
            Err(why) => {
                let fix = "write a list of words instead; for a shell run [\"sh\", \"-c\", \"…\"]";
                section.reader.wrong(&at, format!("this command cannot be split: {why}"), fix);
                return Vec::new();
            }
        }
    } else if at.value.get_ref().is_array() {
        section.as_strings(&at).map(|at| at.value).unwrap_or_default()
    } else {
        section.wrong_type(&at, "a command: run = \"node server.js\"");
        return Vec::new();
    };
    if words.first().is_none_or(|word| word.value.trim().is_empty()) {
        section.reader.wrong(&at, "run is empty", FIX);
        return Vec::new();
    }
    if let Some(word) = words.iter().find(|word| word.value.contains('\0')) {
        section.reader.wrong(word, "the command holds a NUL character", "remove it");
    }
    words
}

fn replicas(
    section: &Section<'_, '_>,
    environment: Environment,
    role: ServiceRole,
    fixed_port: bool,
) -> ReplicaBounds {
    let (min, max) = match (environment, role) {
        _ if fixed_port => (1, 1),
        (Environment::Production, ServiceRole::Frontend) => (2, 4),
        (Environment::Production, ServiceRole::Background) => (1, 3),
        _ => (1, 1),
    };
    let default = ReplicaBounds { min, max };
    let Some(at) = section.value("replicas") else { return default };
    if at.value.get_ref().is_integer() {
        let count = section.as_integer(&at, 1..=MOST_REPLICAS);
        return count.map_or(default, |at| ReplicaBounds { min: at.value, max: at.value });
    }
    let Some(bounds) = section.as_table(&at, "services.NAME.replicas") else { return default };
    // Only what wakes by its queues may sleep.
    let sleeps = section.value("scale").is_some() && role == ServiceRole::Background;
    let min = bounds.integer("min", u16::from(!sleeps)..=MOST_REPLICAS);
    let max = bounds.integer("max", 1..=MOST_REPLICAS);
    let least = min.as_ref().map_or(default.min, |at| at.value);
    let most = max.as_ref().map_or(default.max.max(least), |at| at.value);
    if least > most {
        let place = min.as_ref().or(max.as_ref());
        if let Some(place) = place {
            let problem = format!("min is {least} and max is {most}");
            bounds.reader.wrong(place, problem, "let min be at most max");
        }
        return ReplicaBounds { min: least, max: least };
    }
    ReplicaBounds { min: least, max: most }
}

fn restart(service: &Section<'_, '_>) -> RestartPolicy {
    let mut policy = RestartPolicy {
        mode: RestartMode::OnFailure,
        max: 3,
        window: Duration::from_secs(600),
        backoff: Duration::from_secs(1),
        backoff_max: Duration::from_secs(30),
        never_on: vec![78],
    };
    let Some(section) = service.table("restart", "services.NAME.restart") else { return policy };
    let modes = [
        ("on-failure", RestartMode::OnFailure),
        ("always", RestartMode::Always),
        ("never", RestartMode::Never),
    ];
    policy.mode = section.choice("policy", &modes).map_or(policy.mode, |at| at.value);
    policy.max = section.integer("max", 1..=100).map_or(policy.max, |at| at.value);
    policy.backoff = section.duration("backoff").map_or(policy.backoff, |at| at.value);
    let longest = section.duration("backoff_max").map(|at| at.value);
    policy.backoff_max = longest.unwrap_or(policy.backoff_max).max(policy.backoff);
    let window = section.duration("window");
    policy.window = window.as_ref().map_or(policy.window, |at| at.value);
    if let Some(at) = section.value("never_on") {
        match at.value.get_ref().as_array() {
            Some(codes) => {
                policy.never_on = codes
                    .iter()
                    .filter_map(|code| {
                        let place = At { value: code, key: at.key.clone(), span: code.span() };
                        section.as_integer(&place, 1..=255).map(|at| i32::from(at.value))
                    })
                    .collect();
            }
            None => section.wrong_type(&at, "a list of exit codes: [78]"),
        }
    }
    // Otherwise the waits alone outlast the window, and the limit can never be reached.
    let waits: Duration = (0..u32::from(policy.max) - 1)
        .map(|count| policy.backoff.saturating_mul(1 << count.min(20)).min(policy.backoff_max))
        .sum();
    if policy.window <= waits {
        let at = At {
            value: (),
            key: section.key("window"),
            span: window.map_or(section.span.clone(), |at| at.span),
        };
        let problem = format!(
            "{} failures never fit into this window: the waits between them are {} s long",
            policy.max,
            waits.as_secs()
        );
        section.reader.wrong(&at, problem, "make window longer or max smaller");
    }
    policy
}

fn stop(service: &Section<'_, '_>) -> StopPolicy {
    let mut policy = StopPolicy { grace: Duration::from_secs(30), signal: "TERM".to_owned() };
    let Some(section) = service.table("stop", "services.NAME.stop") else { return policy };
    policy.grace = section.duration("grace").map_or(policy.grace, |at| at.value);
    let signals = [("TERM", "TERM"), ("INT", "INT"), ("QUIT", "QUIT")];
    if let Some(at) = section.choice("signal", &signals) {
        policy.signal = at.value.to_owned();
    }
    policy
}
