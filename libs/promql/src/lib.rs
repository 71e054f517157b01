//! Evaluates PromQL over `ops-series`, and the templates of rule files.
//!
//! Nothing stands here yet; the crate keeps the place and the arrow (`promql ◀─ alerts`) that the map gives it.
