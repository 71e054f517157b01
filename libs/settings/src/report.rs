use std::fmt;

use serde::Serialize;

use crate::Environment;

/// All that is wrong with an environment, and what is merely odd.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The environment it was checked for.
    pub environment: Environment,
    /// What must be mended before a program can run.
    pub faults: Vec<Fault>,
    /// What a program can run with, but somebody should look at.
    pub warnings: Vec<Fault>,
}

/// One finding. Never holds a secret's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The variable.
    pub variable: String,
    /// What was wrong.
    pub problem: String,
    /// What is expected.
    pub expected: String,
    /// What to do.
    pub fix: String,
}

impl Report {
    /// Whether a program can run.
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }
}

impl std::error::Error for Report {}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let environment = self.environment;
        match self.faults.len() {
            0 => writeln!(f, "the environment is good for {environment}")?,
            1 => writeln!(f, "the environment has 1 fault for {environment}")?,
            count => writeln!(f, "the environment has {count} faults for {environment}")?,
        }
        for fault in &self.faults {
            write!(f, "\n  ✗ {fault}")?;
        }
        for warning in &self.warnings {
            write!(f, "\n  ! {warning}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.variable, self.problem)?;
        if !self.expected.is_empty() {
            writeln!(f, "      expected: {}", self.expected)?;
        }
        writeln!(f, "      fix:      {}", self.fix)
    }
}
