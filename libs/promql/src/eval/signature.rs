use hashbrown::HashMap;
use ops_samples::{Labels, NAME};

/// Numbers for series that are the same in some labels.
#[derive(Default)]
pub(crate) struct Signatures {
    numbers: HashMap<Vec<u8>, u32>,
    key: Vec<u8>,
}

/// Which labels count.
#[derive(Clone, Copy)]
pub(crate) enum Counted<'a> {
    /// These, which are ordered.
    Only(&'a [String]),
    /// All but these, which are ordered, and the name.
    Except(&'a [String]),
    /// All but this one; the name counts.
    ExceptOne(&'a str),
}

impl Signatures {
    /// The number of the labels that count; a new one is [`Signatures::len`] before.
    pub(crate) fn of(&mut self, labels: &Labels, counted: Counted<'_>) -> u32 {
        self.key.clear();
        match counted {
            Counted::Only(names) => self.only(labels, names),
            Counted::Except(names) => {
                self.except(labels, |name| name == NAME || names.iter().any(|it| it == name))
            }
            Counted::ExceptOne(one) => self.except(labels, |name| name == one),
        }
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        *self.numbers.entry_ref(self.key.as_slice()).or_insert(next)
    }

    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    fn only(&mut self, labels: &Labels, names: &[String]) {
        let mut pairs = labels.iter();
        let mut next = pairs.next();
        for name in names {
            while next.is_some_and(|(it, _)| it < name.as_str()) {
                next = pairs.next();
            }
            if let Some((it, value)) = next
                && it == name
            {
                self.key.extend_from_slice(value.as_bytes());
            }
            // No text holds this byte.
            self.key.push(0xff);
        }
    }

    fn except(&mut self, labels: &Labels, left_out: impl Fn(&str) -> bool) {
        for (name, value) in labels {
            if !left_out(name) {
                self.key.extend_from_slice(name.as_bytes());
                self.key.push(0xff);
                self.key.extend_from_slice(value.as_bytes());
                self.key.push(0xff);
            }
        }
    }
}
