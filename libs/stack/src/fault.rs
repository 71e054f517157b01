use std::fmt;

/// One thing that is wrong with the stack file, and how to put it right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Dotted key, such as `services.api.health.interval`; empty when the file as a whole is wrong.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub fix: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}; {}", self.problem, self.fix)
    }
}

/// All faults as an operator reads them, one a line, each as `file:line:column`.
pub fn report(file: &str, faults: &[Fault]) -> String {
    let mut text = String::new();
    for fault in faults {
        let key = if fault.key.is_empty() { String::new() } else { format!("{}: ", fault.key) };
        text.push_str(&format!(
            "{file}:{}:{}: {key}{}\n    fix: {}\n",
            fault.line, fault.column, fault.problem, fault.fix
        ));
    }
    let count = faults.len();
    text.push_str(&format!("{count} {} in {file}\n", if count == 1 { "fault" } else { "faults" }));
    text
}
