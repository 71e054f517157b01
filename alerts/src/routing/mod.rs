//! Who is told of an alert: the Alertmanager file, its routes, inhibition, time intervals, silences, root-cause folding.
//!
//! No I/O beyond the system's time zone files, no clock: `now` is an argument. To add a key of the file: its name in the list of
//! keys and its meaning beside it, in `file/`.

mod file;
mod folding;
mod inhibit;
mod intervals;
mod matcher;
mod nearest;
mod quote;
mod silences;
mod syntax;
mod tree;

use std::collections::BTreeMap;

use ops_contract::Timestamp;

pub use file::{Loaded, NamedIntegration, Receiver, Routing};
pub(crate) use file::{minute, weekdays};
pub use folding::{Dependencies, Fold, fold};
pub use inhibit::{InhibitRule, Inhibited, InhibitionSource, Inhibitor};
pub use intervals::{Span, TimeInterval};
pub use matcher::{MatcherError, Matchers};
pub(crate) use nearest::nearest;
pub use silences::{SilenceError, SilenceState, Silences, check_silence, silence_state, would_mute};
pub use syntax::{parse_matcher, parse_matchers};
pub use tree::{GroupBy, Route, RouteId, Routed, Tree};

/// An alert that has not been forgotten, as far as routing looks at it.
#[derive(Clone, Copy, Debug)]
pub struct LivingAlert<'a> {
    /// Its identity.
    pub id: &'a str,
    /// Its labels, `alertname` among them.
    pub labels: &'a BTreeMap<String, String>,
    /// Whether it fires; one that does not neither inhibits nor hides another.
    pub firing: bool,
    /// When its condition began to hold.
    pub active_at: Timestamp,
}
