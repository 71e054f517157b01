//! Side-by-side benchmarks against real peers; each is a program in `examples/` that prints both figures and the ratio.

pub mod exposition;
pub mod generator;
pub mod peers;
pub mod process;
pub mod questions;
pub mod remote_write;
pub mod table;
