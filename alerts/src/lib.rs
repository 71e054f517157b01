//! Who is told, and how: rules, grouping, inhibition, silences, routes, receivers, delivery.
//!
//! No I/O: the server evaluates, stores and sends.

pub mod dispatch;
pub mod oncall;
pub mod receivers;
pub mod routing;
pub mod rules;
pub mod templates;
pub mod unit_tests;

/// The rule file that comes with the program, as it stands in `alerts/rules/`.
pub const BUILT_IN: &str = include_str!("../rules/insightdesk.yml");
