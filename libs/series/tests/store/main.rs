//! The store against a plain model, and by hand.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod head;
mod model;
