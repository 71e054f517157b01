//! How an entry of the audit log is read as an access. No rule looks at an entry itself.
//!
//! Ours are `secret.read` by anybody but the control plane itself. Of other systems every entry with a device is read: what was
//! done stands after the last dot of its action (`vault.read`, `aws.get_secret_value`), the rest in its details.

use core::net::IpAddr;

use ops_contract::{AuditActorKind, AuditEntry, AuditOutcome, Timestamp};

use super::limits::NAME_BYTES;
use super::network::{Network, address};

/// Who it was when nobody said. All who log in with a role or a bare token have one name: these go by their role.
const UNKNOWN: &str = "unknown";
/// What login methods put before a person's name.
const OF_PEOPLE: [&str; 9] =
    ["userpass-", "ldap-", "oidc-", "github-", "okta-", "radius-", "kerberos-", "saml-", "cert-"];
/// What login methods put before a program's name.
const OF_PROGRAMS: [&str; 4] = ["approle", "kubernetes-", "aws-", "jwt-"];
/// Where a store keeps no secrets of its users. `sys/audit/test` is the probe of a device that is being enabled.
const OF_THE_STORE: [&str; 4] = ["sys/", "auth/", "identity/", "cubbyhole/"];
/// Where a key-value store keeps values.
const VALUES: &str = "/data/";
/// Under these it tells of a secret, not its value.
const ABOUT_SECRETS: [&str; 2] = ["/metadata/", "/subkeys/"];

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// The value was asked for.
    Read,
    /// The value was changed or deleted.
    Write,
    /// Somebody let themselves be known.
    Login,
    /// Nothing of a secret's value.
    Other,
}

/// Who it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Person,
    Program,
    Unknown,
}

/// One entry, read.
#[derive(Clone, Debug)]
pub(super) struct Access<'a> {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    /// Who, cut to a length that may be kept; `unknown` for nobody.
    pub(super) principal: &'a str,
    /// All names that the entry has for them.
    pub(super) names: Vec<&'a str>,
    pub(super) who: Who,
    pub(super) verb: Verb,
    /// The secret's name in the inventory, or its path; empty when the entry is about none.
    pub(super) secret: &'a str,
    pub(super) outcome: AuditOutcome,
    pub(super) address: Option<IpAddr>,
    pub(super) network: Option<Network>,
    pub(super) device: Option<&'a str>,
    /// The first of an entry's two lines: it asks, and nothing was given yet.
    pub(super) is_request: bool,
    entry: &'a AuditEntry,
}

impl<'a> Access<'a> {
    /// `None` for what is no access: operators' actions, the log's own entries.
    pub(super) fn of(entry: &'a AuditEntry) -> Option<Self> {
        let device = entry.device.as_deref().map(clip);
        // Of an entry whose body was dropped it is no longer known what it was.
        let is_dropped = entry.details.get("body").is_some_and(|it| it == "dropped");
        if is_dropped || device.is_none() && !is_our_read(entry) {
            return None;
        }
        let detail = |name: &str| entry.details.get(name).map(|it| clip(it)).filter(|it| !it.is_empty());
        let principal = match clip(&entry.actor) {
            "" | "-" => UNKNOWN,
            shared @ ("approle" | "token") => {
                detail("role_name").or_else(|| detail("entity")).unwrap_or(shared)
            }
            actor => actor,
        };
        let mut names = vec![principal];
        if principal != entry.actor {
            names.push(clip(&entry.actor));
        }
        for name in ["display_name", "entity", "username", "role_name"].iter().filter_map(|it| detail(it)) {
            names.push(name);
        }
        names.extend(names.clone().iter().filter_map(|it| without_method(it)));
        let verb = verb(entry);
        let is_about_one = matches!(verb, Verb::Read | Verb::Write);
        let address = entry.address.as_deref().and_then(address);
        Some(Self {
            seq: entry.seq,
            at: when(entry),
            principal,
            who: who(entry, &names),
            names,
            verb,
            secret: if is_about_one { clip(&entry.subject) } else { "" },
            outcome: outcome(entry),
            address,
            network: address.map(Network::of),
            device,
            is_request: device.is_some() && detail("phase") == Some("request"),
            entry,
        })
    }

    /// Whether it is known who it was.
    pub(super) fn is_named(&self) -> bool {
        self.principal != UNKNOWN
    }

    /// Whether somebody got what they asked for.
    pub(super) fn is_allowed(&self) -> bool {
        self.outcome == AuditOutcome::Allowed
    }

    /// Whether it was refused.
    pub(super) fn is_denied(&self) -> bool {
        self.outcome == AuditOutcome::Denied
    }

    /// Whether a value, or the right to change it, was got.
    pub(super) fn reached_a_secret(&self) -> bool {
        self.is_allowed() && matches!(self.verb, Verb::Read | Verb::Write) && !self.secret.is_empty()
    }

    /// A further piece of evidence, cut; `None` when it is missing or empty.
    pub(super) fn detail(&self, name: &str) -> Option<&'a str> {
        self.entry.details.get(name).map(|it| clip(it)).filter(|it| !it.is_empty())
    }

    /// Which version of the value was read or written.
    pub(super) fn version(&self) -> Option<u64> {
        self.detail("version")?.parse().ok()
    }

    /// Latitude and longitude in millionths of a degree, when the source knows them.
    pub(super) fn place(&self) -> Option<(i64, i64)> {
        let degrees = |name: &str, most: f64| {
            let value: f64 = self.detail(name)?.parse().ok()?;
            (value.abs() <= most).then(|| (value * 1e6).round() as i64)
        };
        Some((degrees("lat", 90.0)?, degrees("lon", 180.0)?))
    }

    /// Whether its device tells of each access when it happens, so that silence means something. What is brought in files
    /// comes when it is brought.
    pub(super) fn is_told_at_once(&self) -> bool {
        self.entry.action.starts_with("vault.")
    }

    /// The entry's subject, whatever it is.
    pub(super) fn subject(&self) -> &'a str {
        clip(&self.entry.subject)
    }
}

/// When it happened: a file that is brought or read later tells of earlier. Nothing happens after it was told.
fn when(entry: &AuditEntry) -> Timestamp {
    let told = entry.details.get("time_ms").filter(|_| entry.device.is_some());
    let told = told.and_then(|it| it.parse::<i64>().ok()).map(|it| Timestamp(it.saturating_mul(1_000)));
    told.map_or(entry.at, |it| it.min(entry.at))
}

/// What the control plane reads for itself is no access.
fn is_our_read(entry: &AuditEntry) -> bool {
    entry.action == "secret.read" && entry.actor_kind != AuditActorKind::System
}

fn verb(entry: &AuditEntry) -> Verb {
    let done = entry.action.rsplit('.').next().unwrap_or_default();
    if matches!(done, "login" | "assume_role") {
        return Verb::Login;
    }
    let subject = entry.subject.trim_start_matches('/');
    match done {
        _ if entry.device.is_some() && is_no_value(subject) => Verb::Other,
        "read" | "get_secret_value" | "batch_get_secret_value" => Verb::Read,
        "update" | "create" | "patch" | "delete" | "put_secret_value" | "update_secret" | "delete_secret"
        | "rotate_secret" => Verb::Write,
        _ => Verb::Other,
    }
}

/// Whether nothing secret lies at this path of a store. What follows the first of the known folders is the secret's own
/// path, which may have any name.
fn is_no_value(path: &str) -> bool {
    let value = path.find(VALUES).unwrap_or(usize::MAX);
    OF_THE_STORE.iter().any(|it| path.starts_with(it))
        || ABOUT_SECRETS.iter().filter_map(|it| path.find(it)).any(|about| about < value)
}

/// Stores say of some refusals that they failed.
fn outcome(entry: &AuditEntry) -> AuditOutcome {
    let error = entry.details.get("error").map_or("", |it| it.as_str());
    let refused =
        ["permission denied", "invalid credentials", "AccessDenied"].iter().any(|it| error.contains(it));
    if refused { AuditOutcome::Denied } else { entry.outcome }
}

fn who(entry: &AuditEntry, names: &[&str]) -> Who {
    let begins = |with: &[&str]| names.iter().any(|name| with.iter().any(|it| name.starts_with(it)));
    match entry.actor_kind {
        AuditActorKind::Person => Who::Person,
        AuditActorKind::Service | AuditActorKind::Agent | AuditActorKind::System => Who::Program,
        AuditActorKind::External if begins(&OF_PROGRAMS) => Who::Program,
        AuditActorKind::External if begins(&OF_PEOPLE) => Who::Person,
        AuditActorKind::External => Who::Unknown,
    }
}

/// `alice` for `userpass-alice`.
fn without_method<'a>(name: &&'a str) -> Option<&'a str> {
    let methods = OF_PEOPLE.iter().chain(&OF_PROGRAMS).filter(|it| it.ends_with('-'));
    methods.filter_map(|it| name.strip_prefix(it)).find(|it| !it.is_empty())
}

/// The first bytes of a name that may be kept.
fn clip(name: &str) -> &str {
    name.get(..name.floor_char_boundary(NAME_BYTES)).unwrap_or_default()
}
