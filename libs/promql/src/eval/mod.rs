//! Evaluates planned expressions: for all steps at once, series by series.
//!
//! Values lie in one block per expression, row after row, a cell per step. A cell without a value holds the mark that
//! a series ended: selectors take it away, and nothing computes it, so it is free to say "nothing here".

mod aggregate;
mod binary;
mod call;
mod engine;
mod notes;
mod number;
mod range;
mod select;
mod signature;
mod table;

pub(crate) use engine::{Data, Engine, Grid};
