//! Ids that come out the same whoever computes them, so that a crash between deciding and storing repeats them.

use sha2::{Digest, Sha256};

/// The id of an alert: 32 hexadecimal digits over its rule, its labels and when it began.
#[must_use]
pub fn alert_id(rule: &str, fingerprint: &str, active_at_us: i64) -> String {
    let mut hash = Sha256::new();
    for part in [rule, fingerprint, &active_at_us.to_string()] {
        hash.update(part.as_bytes());
        hash.update([0xff]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
