//! R6: many refusals in five minutes, refusals of many secrets, and success after refusals.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::FindingSeverity;
use serde::{Deserialize, Serialize};

use super::access::{Access, Verb};
use super::found::Found;
use super::limits::{REFUSALS_EACH, REFUSED};
use super::recent::{Event, Window, make_room};
use super::world::World;

const SPAN: Duration = Duration::from_secs(300);
/// Success after so many refusals looks like a guess that was right.
const GUESSES: usize = 3;

/// Refusals of the last five minutes, by principal and by address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Denied(BTreeMap<String, Window>);

impl Denied {
    pub(super) fn judge(&mut self, access: &Access<'_>, world: &World<'_>) -> Vec<Found> {
        let address = access.address.map(|it| format!("address {it}"));
        let strangers = access.address.map(|it| format!("stranger at {it}"));
        let principal = access.is_named().then(|| access.principal.to_owned());
        if access.is_denied() {
            if let Some(strangers) = strangers.filter(|_| !access.is_named() || access.verb == Verb::Login) {
                self.add(&strangers, access);
            }
            let whose = [principal, address].into_iter().flatten();
            return whose.flat_map(|who| self.refuse(&who, access, world)).collect();
        }
        // Nobody guesses to look at the store's own state.
        if !access.is_allowed() || access.verb == Verb::Other {
            return Vec::new();
        }
        // Whoever shares an address with somebody known who was refused did not guess; a stranger's refusals there count.
        let whose = [principal, strangers].into_iter().flatten();
        whose.filter_map(|who| self.succeed(&who, access)).take(1).collect()
    }

    fn refuse(&mut self, who: &str, access: &Access<'_>, world: &World<'_>) -> Vec<Found> {
        let window = self.add(who, access);
        let (refusals, secrets, seqs) = (window.len(), window.secrets(), window.seqs());
        let spec = world.spec;
        let mut found = Vec::new();
        if refusals >= limit(spec.denied) {
            let summary = format!("{who} was refused {refusals} times in 5 minutes");
            found.push(Found::declared("R6", "burst", FindingSeverity::Warning, summary));
        }
        if secrets >= limit(spec.denied_secrets) {
            let summary = format!("{who} was refused {secrets} different secrets in 5 minutes");
            found.push(Found::declared("R6", "search", FindingSeverity::Warning, summary));
        }
        found.into_iter().map(|it| it.about_none().shown_by(seqs.clone())).collect()
    }

    fn succeed(&mut self, who: &str, access: &Access<'_>) -> Option<Found> {
        let window = self.0.get_mut(who)?;
        window.slide(access.at, SPAN);
        let (refusals, seqs) = (window.len(), window.seqs());
        (refusals >= GUESSES).then(|| {
            let summary = format!("{who} succeeded after {refusals} refusals in 5 minutes");
            let found = Found::declared("R6", "success", FindingSeverity::Critical, summary);
            found.about_none().shown_by(seqs)
        })
    }

    fn add(&mut self, who: &str, access: &Access<'_>) -> &Window {
        if !self.0.contains_key(who) {
            make_room(&mut self.0, REFUSED, Window::last);
        }
        let window = self.0.entry(who.to_owned()).or_default();
        window.slide(access.at, SPAN);
        let secret = access.secret.to_owned();
        window.push(Event { at: access.at, seq: access.seq, secret }, REFUSALS_EACH);
        window
    }

    /// Forgets what is over.
    pub(super) fn tidy(&mut self, now: ops_contract::Timestamp) {
        self.0.retain(|_, window| now.since(window.last()) < SPAN);
    }
}

/// A figure that can be reached.
fn limit(figure: u32) -> usize {
    (figure as usize).clamp(1, REFUSALS_EACH)
}
