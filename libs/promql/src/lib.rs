//! Evaluates PromQL over any [`ops_series::Source`], and renders the templates of rule files.

mod error;
mod eval;
mod limits;
pub mod notation;
mod plan;
mod query;
pub mod template;
mod value;

pub use error::{EvalError, ParseError};
pub use limits::Limits;
pub use query::{Query, Reads, Selector};
pub use value::{Answer, RangeSeries, Value, ValueKind, VectorSample};
