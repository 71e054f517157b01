//! Unit tests of rules, in the file format of `promtool test rules`: which alerts fire when, and what expressions give.
//!
//! Nothing is read from disk here: whoever calls has read the test file and its rule files.

mod compare;
mod file;
mod report;
mod run;
#[cfg(test)]
mod tests;

pub use file::{
    AlertTest, ExpectedAlert, ExpectedSample, ExpressionTest, InputSeries, TestFile, TestFileError, TestGroup,
};
pub use report::{Fault, Firing, Report, TestReport};
pub use run::run;
