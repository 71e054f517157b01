//! The browser's part of the dashboard: empty on the host, and empty for now.
//!
//! Every page is right without it. Islands will be hydrated from here once there are any.
#![cfg(target_arch = "wasm32")]
