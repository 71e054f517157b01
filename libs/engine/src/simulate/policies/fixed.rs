//! A fixed number of replicas: what most queues run on, and the two ends that every policy lies between.

use super::super::{Policy, Setting, View};

/// Always the same number.
#[derive(Debug)]
pub struct Fixed {
    name: String,
    replicas: u32,
}

impl Fixed {
    /// As many as said.
    pub fn new(replicas: u32) -> Self {
        Self { name: format!("fixed-{replicas}"), replicas }
    }

    /// As many as are allowed; no policy can be in time more often.
    pub fn most(setting: &Setting) -> Self {
        Self { name: "static-max".into(), replicas: setting.bounds.1 }
    }

    /// As few as are allowed.
    pub fn fewest(setting: &Setting) -> Self {
        Self { name: "static-min".into(), replicas: setting.bounds.0 }
    }
}

impl Policy for Fixed {
    fn name(&self) -> &str {
        &self.name
    }

    fn interval_s(&self) -> f64 {
        60.0
    }

    fn stands_at_first(&self) -> Option<u32> {
        Some(self.replicas)
    }

    fn decide(&mut self, _: &View<'_>) -> u32 {
        self.replicas
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::setting;
    use super::*;

    #[test]
    fn the_ends_are_the_bounds() {
        assert_eq!(Fixed::most(&setting()).decide(&View::default()), 400);
        assert_eq!(Fixed::fewest(&setting()).decide(&View::default()), 1);
    }
}
