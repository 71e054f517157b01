//! What every HTTP server tells of its requests.
//!
//! [`RequestLayer`] gives rate, errors and duration per *route template*, a server span that continues the
//! caller's trace, `x-request-id`, one log line, and request context for error reports. It never looks at
//! bodies, queries or credentials, and no path that a client makes up becomes a label.

mod context;
mod layer;
mod measure;

pub use layer::{RequestLayer, RequestService};
