//! The store against a plain model, and by hand.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod damage;
mod disk;
mod head;
mod killed;
mod model;
