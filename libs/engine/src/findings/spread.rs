//! R3: many different secrets in ten minutes.

use std::time::Duration;

use ops_contract::FindingSeverity;
use serde::{Deserialize, Serialize};

use super::access::{Access, Verb};
use super::counts::Counts;
use super::found::Found;
use super::limits::WINDOW;
use super::recent::{Event, Window};
use super::world::World;

const SPAN: Duration = Duration::from_secs(600);
/// So many times what is usual.
const TIMES: usize = 3;

/// The secrets of the last ten minutes, and the most of each ten minutes before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spread {
    window: Window,
    /// The ten minutes that are under way, and the most secrets within them.
    span: i64,
    most: u32,
    usual: Counts,
}

impl Spread {
    pub(super) fn judge(&mut self, access: &Access<'_>, world: &World<'_>) -> Option<Found> {
        if access.verb != Verb::Read || !access.reached_a_secret() {
            return None;
        }
        let (at, memory) = (access.at, world.spec.memory);
        let span = at.0.div_euclid(SPAN.as_micros() as i64);
        if span != self.span {
            if self.most > 0 {
                self.usual.add(self.most, at, memory);
            }
            (self.span, self.most) = (span, 0);
        }
        self.window.slide(at, SPAN);
        self.window.forget(access.secret);
        self.window.push(Event { at, seq: access.seq, secret: access.secret.to_owned() }, WINDOW);
        let secrets = self.window.len();
        self.most = self.most.max(u32::try_from(secrets).unwrap_or(u32::MAX));
        let usual = self.usual.q99() as usize;
        let limit = (world.spec.spread.max(1) as usize).max(usual.saturating_mul(TIMES)).min(WINDOW);
        (secrets >= limit).then(|| {
            let summary = format!(
                "{} read {secrets} different secrets in 10 minutes; usual are at most {usual}, the limit is {limit}",
                access.principal
            );
            let found = Found::by_habit("R3", FindingSeverity::Warning, summary);
            found.about_none().shown_by(self.window.seqs())
        })
    }
}
