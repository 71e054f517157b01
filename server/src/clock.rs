//! The one place that reads the clock.

use ops_contract::Timestamp;

/// The present moment.
pub(crate) fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}
