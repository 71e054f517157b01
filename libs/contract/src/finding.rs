use serde::{Deserialize, Serialize};

use crate::{Finding, Timestamp};

/// A finding, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FindingView {
    /// What was found.
    pub finding: Finding,
    /// When it was found last, by the time of its entries.
    pub last_at: Timestamp,
    /// Who said that it is dealt with; `None`: it is open. Found again later, it is open again.
    pub closed: Option<FindingClosed>,
}

/// Somebody says that a finding is dealt with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FindingClosed {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why it is nothing, or what was done.
    pub reason: String,
    /// The entry of the audit log that says so.
    pub entry: u64,
}
