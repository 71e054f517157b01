use std::collections::HashMap;

use ops_samples::Labels;

use super::Samples;

/// A few series that the agent itself writes, with their numbers.
#[derive(Default)]
pub(crate) struct Own {
    session: u128,
    numbers: HashMap<Labels, (u32, u64)>,
    round: u64,
}

impl Own {
    /// Writes all of them; those of the time before that are not among them have ended.
    pub(crate) fn write(
        &mut self,
        samples: &Samples,
        at_ms: i64,
        values: impl IntoIterator<Item = (Labels, f64)>,
    ) {
        let mut writer = samples.writer();
        if self.session != writer.session() {
            self.session = writer.session();
            self.numbers.clear();
        }
        self.round += 1;
        for (labels, value) in values {
            let number = match self.numbers.get_mut(&labels) {
                Some((_, round)) if *round == self.round => continue,
                Some((number, round)) => {
                    *round = self.round;
                    *number
                }
                None => {
                    let Some(number) = writer.define(&labels) else { continue };
                    self.numbers.insert(labels, (number, self.round));
                    number
                }
            };
            writer.sample(number, at_ms, value);
        }
        let round = self.round;
        self.numbers.retain(|_, (number, seen)| {
            if *seen != round {
                writer.end(*number, at_ms);
            }
            *seen == round
        });
    }
}
