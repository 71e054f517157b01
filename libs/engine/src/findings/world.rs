use std::collections::{BTreeMap, BTreeSet};

use ops_contract::{FindingsSpec, SecretSpec, Timestamp};

/// What entries are judged against: what was declared, and who left.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// The inventory, by name.
    pub secrets: &'a BTreeMap<String, SecretSpec>,
    /// Who may have which secret without asking: services of the stack, by secret. What a secret's own `consumers`
    /// name need not be repeated; the name that a store knows this control plane by belongs here.
    pub consumers: &'a BTreeMap<String, BTreeSet<String>>,
    /// People who left, and when.
    pub departed: &'a BTreeMap<String, Timestamp>,
    /// Deploys and changes of late; `None` when nobody tells of them, and then R8 does not ask for one.
    pub deploys: Option<&'a [Deploy]>,
    /// The figures of the rules.
    pub spec: &'a FindingsSpec,
}

/// A deploy or another change that explains what a principal does for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deploy {
    /// Whose: a service, a role, a person.
    pub principal: String,
    /// When it began.
    pub from: Timestamp,
    /// When it ended; `None`: it is under way.
    pub until: Option<Timestamp>,
}

impl World<'_> {
    /// Whether a deploy or change of any of these names was under way.
    pub(super) fn is_changing(&self, names: &[&str], at: Timestamp) -> bool {
        self.deploys.unwrap_or_default().iter().any(|deploy| {
            let open = deploy.from <= at && deploy.until.is_none_or(|until| at <= until);
            open && names.contains(&deploy.principal.as_str())
        })
    }

    /// Whether any of these names may have the secret by declaration.
    pub(super) fn is_consumer(&self, names: &[&str], secret: &str) -> bool {
        let by_stack =
            self.consumers.get(secret).is_some_and(|it| names.iter().any(|name| it.contains(*name)));
        let spec = self.secrets.get(secret);
        by_stack || spec.is_some_and(|spec| spec.consumers.iter().any(|it| names.contains(&it.as_str())))
    }

    /// Whether the most dangerous secrets are concerned.
    pub(super) fn is_tier_0(&self, secret: &str) -> bool {
        self.secrets.get(secret).is_some_and(|spec| spec.tier == 0)
    }
}
