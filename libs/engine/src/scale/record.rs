use serde::{Deserialize, Serialize};

use super::{ScaleInput, ScaleMemory, ScaleOutcome, scale};

/// A stretch of decisions with all that they rest on: run again, it must come to the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// What was remembered before the first.
    pub memory: ScaleMemory,
    /// Inputs and outcomes, oldest first.
    pub decisions: Vec<(ScaleInput, ScaleOutcome)>,
}

/// A decision that came out otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// Which of the recording, from 0.
    pub index: usize,
    /// What was recorded.
    pub recorded: ScaleOutcome,
    /// What the same input gives now.
    pub replayed: ScaleOutcome,
}

impl Recording {
    /// Decides everything again and compares each outcome as it is written, byte by byte. Returns what is remembered
    /// after the last.
    ///
    /// # Errors
    ///
    /// The first that differs.
    pub fn replay(&self) -> Result<ScaleMemory, Box<Mismatch>> {
        let mut memory = self.memory.clone();
        for (index, (input, recorded)) in self.decisions.iter().enumerate() {
            let replayed = scale(input, &mut memory);
            if replayed != *recorded {
                return Err(Box::new(Mismatch { index, recorded: recorded.clone(), replayed }));
            }
        }
        Ok(memory)
    }
}
