//! Who is told, and how: rules, grouping, inhibition, silences, routes, receivers, delivery.
//!
//! Nothing stands here yet; the crate keeps the place that the map gives it.
