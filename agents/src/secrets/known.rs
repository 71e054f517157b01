use std::collections::VecDeque;

use secrecy::{ExposeSecret, SecretString};

/// Most values that are remembered.
const MOST: usize = 300;

/// Values that were handed out, so that they can be told from other texts. The one that was handed out longest ago goes
/// first.
#[derive(Default)]
pub(super) struct Known(VecDeque<SecretString>);

impl Known {
    pub(super) fn add(&mut self, value: &SecretString) {
        self.0.retain(|known| known.expose_secret() != value.expose_secret());
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(value.clone());
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &SecretString> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_that_was_handed_out_longest_ago_is_forgotten_first() {
        let mut known = Known::default();
        for n in 0..MOST {
            known.add(&SecretString::from(n.to_string()));
        }
        known.add(&"0".into());
        known.add(&"new".into());
        let all: Vec<&str> = known.all().map(ExposeSecret::expose_secret).collect();
        assert_eq!((all.len(), all.first(), all.last()), (MOST, Some(&"2"), Some(&"new")));
        assert!(all.contains(&"0"), "it was handed out again");
    }
}
