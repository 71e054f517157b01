//! How each secret stands, and what is to be renewed when somebody leaves.
//!
//! Pure: the caller gathers the facts from the inventory, the stores and the audit log. No value is needed for it.

mod calendar;
mod exposure;
mod judge;
mod words;

pub use exposure::{Exposure, SecretRead, exposure};
pub use judge::{DueStep, PersonLeft, SecretFacts, SecretJudgement, consumers, judge_secret};
