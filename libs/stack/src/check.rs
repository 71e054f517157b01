//! Compares the sections with each other: names, ports, dependencies, secrets, routes.

use std::collections::BTreeMap;

use ops_contract::{RotationMethod, SecretSource};

use crate::expand;
use crate::nearest::nearest;
use crate::reader::{At, Reader, quoted};
use crate::sections::Draft;

pub(crate) fn all(reader: &Reader<'_>, draft: &Draft) {
    names(reader, draft);
    ports(reader, draft);
    dependencies(reader, draft);
    cycles(reader, draft);
    secrets(reader, draft);
    routes(reader, draft);
    queues(reader, draft);
    jobs(reader, draft);
}

/// The stack's own data services have names, too.
fn names(reader: &Reader<'_>, draft: &Draft) {
    for own in expand::names(draft) {
        if let Some(service) = draft.services.get(&own) {
            let problem = format!("{own} is the name of a development store's service");
            reader.wrong(&service.place, problem, "give this service another name");
        }
    }
}

fn ports(reader: &Reader<'_>, draft: &Draft) {
    let mut taken: Vec<(&At<u16>, String)> = Vec::new();
    taken.extend(draft.ports.listen.iter().map(|at| (at, "the control plane".to_owned())));
    taken.extend(draft.ports.grpc.iter().map(|at| (at, "the control plane's gRPC".to_owned())));
    for (name, store) in &draft.postgres {
        for (index, at) in store.ports.iter().enumerate() {
            let who = match index {
                0 => format!("postgres.{name}"),
                _ => format!("postgres.{name}.replica-{}", index - 1),
            };
            taken.push((at, who));
        }
    }
    for (name, store) in &draft.valkey {
        taken.extend(store.port.iter().map(|at| (at, format!("valkey.{name}"))));
    }
    taken.extend(draft.balancer.iter().map(|it| (&it.port, "the balancer".to_owned())));
    for (name, service) in &draft.services {
        taken.extend(service.port.iter().map(|at| (at, format!("services.{name}"))));
    }
    // The later one in the file is told of the earlier one.
    taken.sort_by_key(|(at, _)| at.span.start);
    let mut first: BTreeMap<u16, &str> = BTreeMap::new();
    for (at, who) in &taken {
        match first.get(&at.value) {
            Some(other) => reader.wrong(
                at,
                format!("port {} of {who} is also that of {other}", at.value),
                "give each its own port",
            ),
            None => {
                first.insert(at.value, who);
            }
        }
    }
}

/// What `depends_on` may name.
fn things(draft: &Draft) -> Vec<String> {
    let mut things: Vec<String> = draft.services.keys().cloned().collect();
    for (name, store) in &draft.postgres {
        things.push(format!("postgres.{name}"));
        things.extend((0..store.spec.replicas.len()).map(|index| format!("postgres.{name}.replica-{index}")));
    }
    things.extend(draft.valkey.keys().map(|name| format!("valkey.{name}")));
    things
}

fn dependencies(reader: &Reader<'_>, draft: &Draft) {
    let things = things(draft);
    for service in draft.services.values() {
        for at in &service.depends_on {
            if things.contains(&at.value) {
                continue;
            }
            let fix = match nearest(&at.value, things.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean {meant}?"),
                None => "name a service, postgres.NAME or valkey.NAME of this file".to_owned(),
            };
            reader.wrong(at, format!("depends on {}, which is not in this file", quoted(&at.value)), fix);
        }
    }
}

/// Each cycle is told once, at its first service's wish for the next one.
fn cycles(reader: &Reader<'_>, draft: &Draft) {
    let names: Vec<&str> = draft.services.keys().map(String::as_str).collect();
    let index: BTreeMap<&str, usize> = names.iter().enumerate().map(|(index, name)| (*name, index)).collect();
    let edges: Vec<Vec<usize>> = draft
        .services
        .values()
        .map(|it| it.depends_on.iter().filter_map(|at| index.get(at.value.as_str()).copied()).collect())
        .collect();
    // 0: not seen, 1: on the path, 2: done. No recursion: a file may hold a long chain.
    let mut state = vec![0_u8; names.len()];
    for start in 0..names.len() {
        if state[start] != 0 {
            continue;
        }
        let mut path = vec![(start, 0_usize)];
        state[start] = 1;
        while let Some((node, next)) = path.last_mut() {
            let Some(target) = edges[*node].get(*next).copied() else {
                state[*node] = 2;
                path.pop();
                continue;
            };
            *next += 1;
            match state[target] {
                0 => {
                    state[target] = 1;
                    path.push((target, 0));
                }
                1 => {
                    let from = path.iter().position(|(node, _)| *node == target).unwrap_or(0);
                    let cycle: Vec<usize> = path[from..].iter().map(|(node, _)| *node).collect();
                    tell_cycle(reader, draft, &names, &cycle);
                }
                _ => {}
            }
        }
    }
}

fn tell_cycle(reader: &Reader<'_>, draft: &Draft, names: &[&str], cycle: &[usize]) {
    let words: Vec<&str> = cycle.iter().chain(cycle.first()).map(|index| names[*index]).collect();
    let (Some(first), Some(second)) = (words.first(), words.get(1)) else { return };
    let wish = draft.services.get(*first).and_then(|it| it.depends_on.iter().find(|at| at.value == **second));
    if let Some(at) = wish {
        let problem = format!("these services wait for each other, a cycle: {}", words.join(" → "));
        reader.wrong(at, problem, "remove one of these dependencies");
    }
}

fn secrets(reader: &Reader<'_>, draft: &Draft) {
    let services = draft.services.values().flat_map(|it| &it.secrets);
    let postgres = draft.postgres.values().filter_map(|it| it.password_secret.as_ref());
    let valkey = draft.valkey.values().filter_map(|it| it.password_secret.as_ref());
    let tokens = draft.telemetry.token_secrets.iter().chain(&draft.alerts.query_token_secret);
    let renewed = draft.secrets.values().flat_map(|it| &it.value.secrets);
    let devices = &draft.audit.token_secrets;
    for at in services.chain(postgres).chain(valkey).chain(tokens).chain(renewed).chain(devices) {
        secret(reader, draft, at, &at.value);
    }
    turns(reader, draft);
    for at in devices {
        let source = draft.secrets.get(&at.value).map(|it| &it.value.spec.source);
        if matches!(source, Some(SecretSource::Vault { .. } | SecretSource::AwsSecretsManager { .. })) {
            let fix = "keep it in env, generated or encrypted_file";
            reader.wrong(at, "a device must be let in while other stores are away", fix);
        }
    }
    for it in draft.secrets.values() {
        if matches!(it.value.spec.source, SecretSource::Vault { .. }) && draft.secret_stores.vault.is_none() {
            reader.wrong(it, "no vault is known", "add [secret_stores.vault] with its address");
        }
        if let RotationMethod::Jwt { previous } = &it.value.spec.rotation
            && draft.secrets.contains_key(previous)
        {
            reader.wrong(
                it,
                format!("{previous} is a secret of its own"),
                "give previous a name that is none",
            );
        }
    }
}

/// What users who take turns need: the store, and that nobody takes `user:password` for a password.
fn turns(reader: &Reader<'_>, draft: &Draft) {
    for it in draft.secrets.values() {
        for at in it.value.stores.iter().filter(|at| !draft.postgres.contains_key(&at.value)) {
            reader.wrong(at, format!("there is no [postgres.{}]", at.value), "name one of this file");
        }
    }
    let postgres = draft.postgres.values().filter_map(|it| it.password_secret.as_ref());
    let valkey = draft.valkey.values().filter_map(|it| it.password_secret.as_ref());
    let admin = draft.secrets.values().flat_map(|it| &it.value.secrets);
    for at in postgres.chain(valkey).chain(admin) {
        let spec = draft.secrets.get(&at.value).map(|it| &it.value.spec);
        if spec.is_some_and(|it| matches!(it.rotation, RotationMethod::Postgres { .. })) {
            let fix = "name a secret that holds a password alone; programs take this one as ${secret.NAME}@host in an address";
            reader.wrong(at, "its value is user:password of two users that take turns", fix);
        }
    }
}

/// Notes that `name` is no secret of this file, or one that nothing uses, if so.
pub(crate) fn secret<T>(reader: &Reader<'_>, draft: &Draft, at: &At<T>, name: &str) {
    if let Some(known) = draft.secrets.get(name) {
        if known.value.spec.canary {
            let fix = "use another secret, or remove canary from this one";
            reader.wrong(at, format!("{} is a canary, which nothing uses", quoted(name)), fix);
        }
        return;
    }
    let fix = match nearest(name, draft.secrets.keys().map(String::as_str)) {
        Some(meant) => format!("did you mean {meant}?"),
        None => {
            "add it as [secrets.NAME] with from = \"env\", \"encrypted_file\" or another store".to_owned()
        }
    };
    reader.wrong(at, format!("there is no secret {}", quoted(name)), fix);
}

fn routes(reader: &Reader<'_>, draft: &Draft) {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, service) in &draft.services {
        let Some(at) = &service.route else { continue };
        match first.get(at.value.as_str()) {
            Some(other) => reader.wrong(
                at,
                format!("{other} has the route {} already", quoted(&at.value)),
                "give each service its own route",
            ),
            None => {
                first.insert(&at.value, name);
            }
        }
        if draft.balancer.is_none() {
            reader.wrong(at, "a route needs a balancer", "add [balancer] with a port, or remove route");
        }
    }
}

/// The queue that a service means, as `valkey.NAME/queue`; `Err` says what is wrong with it.
pub(crate) fn queue(draft: &Draft, name: &str) -> Result<String, &'static str> {
    let watched =
        || draft.valkey.iter().filter(|(_, store)| store.spec.queues.is_some()).map(|(name, _)| name);
    let (store, queue) = match name.rsplit_once('/') {
        Some((store, queue)) => match watched().find(|it| format!("valkey.{it}") == store) {
            Some(store) => (store, queue),
            None => return Err("its store is no valkey.NAME with queues in this file"),
        },
        None => match (watched().next(), watched().count()) {
            (Some(store), 1) => (store, name),
            (None, _) => return Err("no Valkey in this file has queues"),
            _ => return Err("several Valkeys have queues"),
        },
    };
    let good = !queue.is_empty()
        && queue.len() <= 200
        && !queue.contains(':')
        && !queue.chars().any(char::is_control);
    if good { Ok(format!("valkey.{store}/{queue}")) } else { Err("this is not the name of a queue") }
}

fn queues(reader: &Reader<'_>, draft: &Draft) {
    for service in draft.services.values() {
        for at in &service.queues {
            if let Err(problem) = queue(draft, &at.value) {
                let fix = "add [valkey.NAME.queues] with its database, and write \"queue\" or \"valkey.NAME/queue\"";
                reader.wrong(at, problem, fix);
            }
        }
    }
}

/// A job of the Prometheus configuration and one of this file cannot have one name.
fn jobs(reader: &Reader<'_>, draft: &Draft) {
    let Some(at) = &draft.telemetry.prometheus else { return };
    for job in &at.value.scrape {
        if draft.scrape.iter().any(|it| it.job == job.job) {
            let problem = format!("its job {} is also [scrape.{}] of this file", quoted(&job.job), job.job);
            reader.wrong(at, problem, "rename or remove one of the two");
        }
    }
}
