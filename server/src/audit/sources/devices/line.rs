//! The parts of a line that are looked at. Everything may be missing but what makes it a line.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use serde_json::Value;

/// One line of a device.
#[derive(Deserialize)]
pub(super) struct Line {
    time: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    auth: Option<Auth>,
    pub(super) request: Request,
    pub(super) response: Option<Response>,
    error: Option<String>,
}

/// Which of the two lines of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Request,
    Response,
}

#[derive(Deserialize)]
pub(super) struct Auth {
    display_name: Option<String>,
    pub(super) accessor: Option<String>,
    policies: Option<Vec<String>>,
    policy_results: Option<PolicyResults>,
    metadata: Option<BTreeMap<String, Value>>,
    entity_id: Option<String>,
}

#[derive(Deserialize)]
struct PolicyResults {
    allowed: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct Request {
    id: Option<String>,
    operation: Option<String>,
    mount_point: Option<String>,
    mount_type: Option<String>,
    pub(super) client_token: Option<String>,
    pub(super) client_token_accessor: Option<String>,
    namespace: Option<Namespace>,
    path: Option<String>,
    pub(super) data: Option<Value>,
    remote_address: Option<String>,
    pub(super) wrap_ttl: Option<Value>,
}

#[derive(Deserialize)]
struct Namespace {
    path: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Response {
    auth: Option<Auth>,
    pub(super) data: Option<Value>,
    pub(super) wrap_info: Option<Value>,
}

impl Kind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

impl Line {
    /// Who, as the store calls them; of a login who it made.
    pub(super) fn principal(&self) -> Option<&str> {
        self.auths().find_map(|it| it.display_name.as_deref()).filter(|it| !it.is_empty())
    }

    pub(super) fn entity(&self) -> &str {
        self.auths().find_map(|it| it.entity_id.as_deref()).unwrap_or_default()
    }

    /// The person's name; of a login that was refused the name that was tried.
    pub(super) fn username(&self) -> &str {
        self.metadata("username").or_else(|| self.request.tried()).unwrap_or_default()
    }

    pub(super) fn role_name(&self) -> &str {
        // What each method of programs calls it.
        ["role_name", "role"].iter().find_map(|it| self.metadata(it)).unwrap_or_default()
    }

    /// Names of at most `most` policies. `root` is never among those that are left out.
    pub(super) fn policies(&self, most: usize) -> String {
        let all = self.auths().find_map(|it| it.policies.as_ref());
        let mut names: Vec<&str> = all.into_iter().flatten().map(String::as_str).collect();
        names.sort_by_key(|it| *it != "root");
        names.truncate(most);
        names.join(",")
    }

    pub(super) fn error(&self) -> &str {
        self.error.as_deref().unwrap_or_default()
    }

    /// Whether the store's policies say no.
    pub(super) fn is_forbidden(&self) -> bool {
        let results = self.auth.as_ref().and_then(|it| it.policy_results.as_ref());
        results.and_then(|it| it.allowed) == Some(false)
    }

    /// When, by the store's clock, Unix milliseconds.
    pub(super) fn time_ms(&self) -> Option<i64> {
        Some(self.time.as_ref()?.parse::<jiff::Timestamp>().ok()?.as_millisecond())
    }

    /// Whether a login, and not what it is about, is shown in the answer.
    pub(super) fn gives_token(&self) -> bool {
        self.response.as_ref().is_some_and(|it| it.auth.is_some())
    }

    fn metadata(&self, name: &str) -> Option<&str> {
        self.auths().find_map(|it| it.metadata.as_ref()?.get(name)?.as_str())
    }

    /// Whose token it was; of a login also whose it becomes.
    fn auths(&self) -> impl Iterator<Item = &Auth> {
        self.auth.iter().chain(self.response.iter().filter_map(|it| it.auth.as_ref()))
    }

    /// The token's accessor as the device shows it.
    pub(super) fn accessor(&self) -> Option<&str> {
        let accessor = self.auths().find_map(|it| it.accessor.as_deref());
        accessor.or(self.request.client_token_accessor.as_deref()).or(self.request.client_token.as_deref())
    }
}

impl Request {
    pub(super) fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    pub(super) fn path(&self) -> &str {
        self.path.as_deref().unwrap_or_default().trim_matches('/')
    }

    pub(super) fn mount(&self) -> &str {
        self.mount_point.as_deref().unwrap_or_default()
    }

    /// Empty for the root's.
    pub(super) fn namespace(&self) -> &str {
        self.namespace.as_ref().and_then(|it| it.path.as_deref()).unwrap_or_default().trim_matches('/')
    }

    /// The first folder under the mount.
    pub(super) fn folder(&self) -> &str {
        let rest = self.path().strip_prefix(self.mount().trim_matches('/')).unwrap_or_default();
        rest.trim_start_matches('/').split('/').next().unwrap_or_default()
    }

    pub(super) fn is_key_value(&self) -> bool {
        matches!(self.mount_type.as_deref(), Some("kv" | "generic"))
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        self.remote_address.as_ref()?.parse().ok()
    }

    /// What was asked for, as a word that an action may have; a login is one.
    pub(super) fn operation(&self) -> &str {
        let known = [
            "read", "list", "create", "update", "patch", "delete", "help", "renew", "revoke", "rollback",
            "scan",
        ];
        let operation = self.operation.as_deref().unwrap_or_default();
        if self.login().is_some() && matches!(operation, "create" | "update" | "read") {
            return "login";
        }
        known.into_iter().find(|it| *it == operation).unwrap_or("other")
    }

    /// The name that somebody tried to log in with.
    fn tried(&self) -> Option<&str> {
        self.login().and_then(|rest| rest.strip_prefix("login/")).filter(|it| !it.contains('/'))
    }

    /// What follows the mount of a login method in the path of a login.
    fn login(&self) -> Option<&str> {
        let under = self.path().strip_prefix("auth/")?;
        let mount = self.mount().trim_matches('/').strip_prefix("auth/").filter(|it| !it.is_empty());
        let rest = match mount {
            Some(mount) => under.strip_prefix(mount)?.strip_prefix('/')?,
            None => under.split_once('/')?.1,
        };
        (rest == "login" || rest.starts_with("login/") || rest == "oidc/callback").then_some(rest)
    }
}
