use std::collections::BTreeMap;
use std::net::IpAddr;

use ops_audit::entry::{Actor, ActorKind, Draft, MAX_DETAIL, MAX_NAME, MAX_TEXT, Outcome, Source};
use ops_contract::{AgentName, Operator};

/// An entry in the making. Texts are cut to what the log takes, control characters are replaced: what others send must
/// not keep an entry from being written.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    actor: Actor,
    action: String,
    subject: String,
    purpose: Option<String>,
    outcome: Outcome,
    source: Source,
    details: BTreeMap<String, String>,
}

/// Something that the control plane did.
pub(crate) fn of_system(action: &str, subject: &str) -> Entry {
    Entry::new(actor(ActorKind::System, "control plane", None), action, subject)
}

/// Something that an operator did or wanted.
pub(crate) fn of_operator(operator: &Operator, address: IpAddr, action: &str, subject: &str) -> Entry {
    let role = format!("{:?}", operator.role).to_lowercase();
    Entry::new(actor(ActorKind::Person, &operator.name, Some(address)), action, subject).detail("role", role)
}

/// Something that an agent did or wanted.
pub(crate) fn of_agent(agent: &AgentName, address: IpAddr, action: &str, subject: &str) -> Entry {
    Entry::new(actor(ActorKind::Agent, agent.as_str(), Some(address)), action, subject)
}

/// Something that somebody wanted whom we do not know.
pub(crate) fn stranger(address: IpAddr, action: &str, subject: &str) -> Entry {
    Entry::new(actor(ActorKind::External, "unknown", Some(address)), action, subject)
}

fn actor(kind: ActorKind, name: &str, address: Option<IpAddr>) -> Actor {
    Actor { kind, name: plain(name, MAX_NAME), via: None, address: address.map(|it| it.to_string()) }
}

impl Entry {
    pub(crate) fn new(actor: Actor, action: &str, subject: &str) -> Self {
        Self {
            actor: Actor { name: plain(&actor.name, MAX_NAME), ..actor },
            action: action.to_owned(),
            subject: plain(subject, MAX_TEXT),
            purpose: None,
            outcome: Outcome::Allowed,
            source: Source::Own,
            details: BTreeMap::new(),
        }
    }

    /// Somebody acts through another: a service through its agent.
    pub(crate) fn acting_as(mut self, kind: ActorKind, name: &str) -> Self {
        let via = std::mem::replace(&mut self.actor.name, plain(name, MAX_NAME));
        self.actor.kind = kind;
        self.actor.via = Some(via);
        self
    }

    pub(crate) fn why(mut self, purpose: &str) -> Self {
        self.purpose = Some(plain(purpose, MAX_TEXT)).filter(|it| !it.trim().is_empty());
        self
    }

    /// Whether it is of this action.
    pub(crate) fn is(&self, action: &str) -> bool {
        self.action == action
    }

    pub(crate) fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    pub(crate) fn detail(mut self, name: &str, value: impl Into<String>) -> Self {
        let value: String = value.into();
        if !value.is_empty() {
            self.details.insert(name.to_owned(), plain(&value, MAX_DETAIL));
        }
        self
    }

    /// Who it is that does it.
    pub(crate) fn actor(self) -> Actor {
        self.actor
    }

    /// An audit device told of it, under an id of its own.
    pub(crate) fn told_by(mut self, device: &str, event_id: &str) -> Self {
        self.source =
            Source::External { device: plain(device, MAX_NAME), event_id: plain(event_id, MAX_NAME) };
        self
    }

    /// The draft, with its random bytes.
    pub(crate) fn draft(self) -> Draft {
        Draft {
            salt: rand::random(),
            actor: self.actor,
            action: self.action,
            subject: self.subject,
            purpose: self.purpose,
            outcome: self.outcome,
            source: self.source,
            details: self.details,
        }
    }
}

/// A text that the log takes: nothing that deceives, not longer than `limit` bytes, not empty.
fn plain(text: &str, limit: usize) -> String {
    let safe = |c: char| {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if c.is_control() || turns { '\u{fffd}' } else { c }
    };
    let mut plain: String = text.chars().take(limit).map(safe).collect();
    while plain.len() > limit {
        plain.pop();
    }
    if plain.is_empty() { "-".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_send_never_keeps_an_entry_from_being_written() {
        for text in ["", "\u{202e}evil\n", "é".repeat(5_000).as_str(), "\0"] {
            let entry = stranger(IpAddr::from([127, 0, 0, 1]), "secret.read", text)
                .why(text)
                .acting_as(ActorKind::Service, text)
                .detail("text", text);
            entry.draft().at(0, 0).encode().unwrap();
        }
    }
}
