//! Time-series head: Gorilla chunks, write-ahead log, segments, matchers, staleness.
//!
//! Nothing stands here yet; the crate keeps the place and the arrow (`series ◀─ promql`) that the map gives it.
