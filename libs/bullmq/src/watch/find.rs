//! Finds queues by their `meta` keys, a little at each look.
//!
//! A step of `SCAN` walks a fixed number of keys, whatever the size of the keyspace. A small keyspace is walked whole at each look;
//! a large one takes many looks, and after each full round as many are left out, up to a minute.

use std::collections::BTreeSet;

use redis::{Cmd, Value};

/// Keys walked at each look.
const KEYS: u32 = 1_000;
/// The longest pause between two rounds, in looks.
const LONGEST_PAUSE: u32 = 30;
/// Names that are remembered of queues that are not read.
const MOST_UNREAD: usize = 20_000;

#[derive(Debug)]
pub(super) struct Finder {
    prefix: String,
    cursor: u64,
    looks: u32,
    pause: u32,
    /// Whether the keyspace was walked once: what is found from now on is new.
    pub(super) walked: bool,
    /// Found, and not read because others came first.
    pub(super) unread: BTreeSet<String>,
}

impl Finder {
    pub(super) fn new(prefix: &str) -> Self {
        let prefix = prefix.to_owned();
        Self { prefix, cursor: 0, looks: 0, pause: 0, walked: false, unread: BTreeSet::new() }
    }

    /// The step for this look.
    pub(super) fn step(&mut self) -> Option<Cmd> {
        if self.pause > 0 {
            self.pause -= 1;
            return None;
        }
        let mut step = redis::cmd("SCAN");
        step.arg(self.cursor).arg("MATCH").arg(pattern(&self.prefix));
        step.arg("COUNT").arg(KEYS).arg("TYPE").arg("hash");
        Some(step)
    }

    /// The queues that the step found.
    pub(super) fn found(&mut self, answer: Value) -> Vec<String> {
        let Ok((cursor, keys)) = redis::from_redis_value::<(u64, Vec<Vec<u8>>)>(answer) else {
            return Vec::new();
        };
        self.cursor = cursor;
        self.looks += 1;
        if cursor == 0 {
            self.pause = (self.looks - 1).min(LONGEST_PAUSE);
            self.looks = 0;
            self.walked = true;
        }
        keys.iter().filter_map(|key| self.name_of(key)).collect()
    }

    /// Remembers a queue that is not read.
    pub(super) fn leave_unread(&mut self, name: String) {
        if self.unread.len() < MOST_UNREAD {
            self.unread.insert(name);
        }
    }

    /// A queue's name has no colon; `bull:mail:repeat:meta` is the scheduler `meta` of the queue `mail`.
    fn name_of(&self, key: &[u8]) -> Option<String> {
        let key = std::str::from_utf8(key).ok()?;
        let name = key.strip_prefix(&*self.prefix)?.strip_prefix(':')?.strip_suffix(":meta")?;
        (!name.is_empty() && !name.contains(':')).then(|| name.to_owned())
    }
}

fn pattern(prefix: &str) -> String {
    let mut pattern = String::new();
    for letter in prefix.chars() {
        if matches!(letter, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern + ":*:meta"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(cursor: &str, keys: &[&str]) -> Value {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        Value::Array(vec![text(cursor), Value::Array(keys.iter().map(|key| text(key)).collect())])
    }

    #[test]
    fn names_are_what_stands_between_prefix_and_meta() {
        let mut finder = Finder::new("a[b]:c");
        let keys =
            ["a[b]:c:mail:meta", "a[b]:c:mail:repeat:meta", "a[b]:c::meta", "x:y:meta", "a[b]:c:ä \"*:meta"];
        assert_eq!(finder.found(answer("0", &keys)), ["mail", "ä \"*"]);
        assert_eq!(pattern("a[b]:c"), "a\\[b\\]:c:*:meta");
    }

    #[test]
    fn a_small_keyspace_is_walked_at_each_look_and_a_large_one_rests_between_rounds() {
        let mut finder = Finder::new("bull");
        for _ in 0..3 {
            assert!(finder.step().is_some());
            finder.found(answer("0", &[]));
        }
        for cursor in ["7", "9", "0"] {
            assert!(finder.step().is_some());
            finder.found(answer(cursor, &[]));
        }
        let steps: Vec<bool> = (0..3).map(|_| finder.step().is_some()).collect();
        assert_eq!(steps, [false, false, true]);
    }
}
