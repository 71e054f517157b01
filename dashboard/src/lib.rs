//! The pages: pure functions from contract data to HTML.
//!
//! Knows the contract and nothing else: no I/O, no server, no store, no clock (a view carries its own `at`). Each page
//! is a whole document that is right without JavaScript; what an operator, a program or a log wrote is shown as text,
//! whatever it holds.
//!
//! To add a page: one file in `pages/`, one line in its `mod.rs`, its styles in `style.css`.

// A page's type holds the types of all its parts, and one with a table of forms goes deeper than 128.
#![recursion_limit = "256"]

#[cfg(feature = "ssr")]
mod components;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
mod words;

#[cfg(feature = "ssr")]
pub use pages::{
    AckLink, acknowledge_page, alerts_page, audit_page, confirm_link_page, explore_page, incident_page,
    incidents_page, login_page, notifications_page, now_page, problem_page, queues_page, scaling_page,
    secrets_page,
};

/// The one style sheet. Pages hold it inline under their nonce, so that one answer is all a browser needs.
pub const STYLE: &str = include_str!("style.css");
