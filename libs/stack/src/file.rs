use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ops_contract::{ScaleSpec, ServiceName, Stack};
use toml::de::DeTable;

use crate::observe::{self, Observed};
use crate::reader::Reader;
use crate::section::Section;
use crate::sections::{self, Draft};
use crate::{Fault, check, expand, substitute};

/// The longest stack file.
const MAX_BYTES: u64 = 1 << 20;

/// Where things are, as the caller knows it.
#[derive(Clone, Debug)]
pub struct Context {
    /// The `insightdesk` program, which development stores are started by.
    pub insightdesk: PathBuf,
    /// The state folder, absolute.
    pub state_dir: PathBuf,
    /// The folder of the stack file, absolute: relative programs and directories start here.
    pub base_dir: PathBuf,
}

/// A stack file without faults.
#[derive(Clone, Debug, PartialEq)]
pub struct StackFile {
    /// What should run, the development data services included.
    pub stack: Stack,
    /// How the server is to be run.
    pub server: ServerSection,
    /// What was taken note of and changes nothing, for people.
    pub remarks: Vec<String>,
}

/// `[server]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSection {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where KEDA's external scaler listens.
    pub grpc: GrpcListen,
    /// Its own store: `sqlite://…` or `postgres://…`.
    pub database: String,
    /// Folder of its own files, absolute.
    pub data_dir: PathBuf,
    /// The URL under which people reach it, when that is another.
    pub external_url: Option<String>,
}

/// Where gRPC is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrpcListen {
    /// Nowhere: `grpc = false`.
    Off,
    /// There: the file says so.
    At(SocketAddr),
    /// There, when no other program has it: the file says nothing.
    IfFree(SocketAddr),
}

/// Reads and checks a stack file.
pub fn load(path: &Path, context: &Context) -> Result<StackFile, Vec<Fault>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        let fix = "check that it is a file that you may read";
        return Err(vec![whole(1, 1, format!("the file cannot be read: {error}"), fix)]);
    }
    if bytes.len() as u64 > MAX_BYTES {
        let fix = "a stack file is a few kilobytes; is this the right file?";
        return Err(vec![whole(1, 1, "the file is longer than 1 MiB".to_owned(), fix)]);
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => parse(text, context),
        Err(error) => {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |it| it.chars().count()) + 1;
            Err(vec![whole(line, column, "the file is not UTF-8 text".to_owned(), "save it as UTF-8")])
        }
    }
}

/// Checks the text of a stack file.
pub fn parse(text: &str, context: &Context) -> Result<StackFile, Vec<Fault>> {
    let reader = Reader::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What was recovered around a slip of syntax would be blamed for more than is wrong with it.
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            let problem = format!("this is not TOML: {}", error.message().replace('\n', ", "));
            reader.fault(&span, "", problem, "correct the syntax; other faults are looked for after that");
        }
        return Err(reader.into_faults());
    }
    let root = Section::open(&reader, "", "", table.get_ref(), 0..0);
    let draft = sections::read(&root, context);
    check::all(&reader, &draft);
    let env = substitute::all(&reader, &draft, context);
    let faults = reader.into_faults();
    if faults.is_empty() { Ok(assemble(draft, env, context)) } else { Err(faults) }
}

fn assemble(
    draft: Draft,
    mut env: BTreeMap<String, BTreeMap<String, String>>,
    context: &Context,
) -> StackFile {
    let mut services: BTreeMap<_, _> = expand::services(&draft, context);
    let full = |name: &String| check::queue(&draft, name).unwrap_or_else(|_| name.clone());
    let scales: BTreeMap<String, ScaleSpec> = draft
        .services
        .iter()
        .filter_map(|(name, service)| {
            let mut scale = service.spec.scale.clone()?;
            scale.queues = scale.queues.iter().map(full).collect();
            scale.concurrency = scale.concurrency.iter().map(|(queue, it)| (full(queue), *it)).collect();
            Some((name.clone(), scale))
        })
        .collect();
    for (name, service) in draft.services {
        let mut spec = service.spec;
        spec.env = env.remove(&name).unwrap_or_default();
        spec.depends_on = service.depends_on.into_iter().map(|at| at.value).collect();
        spec.scale = scales.get(&name).cloned();
        spec.secrets = service.secrets.into_iter().map(|at| at.value).collect();
        services.insert(ServiceName(name), spec);
    }
    let Observed { alerts, telemetry, scrape, remarks } =
        observe::together(draft.alerts, draft.telemetry, draft.scrape);
    let stack = Stack {
        name: draft.name,
        environment: draft.environment,
        services,
        postgres: draft.postgres.into_iter().map(|(name, store)| (name, store.spec)).collect(),
        valkey: draft.valkey.into_iter().map(|(name, store)| (name, store.spec)).collect(),
        secrets: draft.secrets.into_iter().map(|(name, at)| (name, at.value.spec)).collect(),
        secret_stores: draft.secret_stores,
        audit: draft.audit.spec,
        alerts,
        telemetry,
        scrape,
    };
    StackFile { stack, server: draft.server, remarks }
}

fn whole(line: usize, column: usize, problem: String, fix: &str) -> Fault {
    Fault { line, column, key: String::new(), problem, fix: fix.to_owned() }
}
