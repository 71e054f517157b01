use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::Series;

/// What is known of the series of one target, by their text, so that their labels are read once.
///
/// An answer's series come in the order of the answer before: the cache says which text it expects next, and finds it
/// without a hash when it comes.
#[derive(Debug)]
pub struct Cache<T> {
    entries: Vec<Option<Entry<T>>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: RandomState,
    /// The series of the answer before and of this one, in their order.
    before: Vec<u32>,
    now: Vec<u32>,
    /// Where in `before` the next series is expected.
    at: usize,
    round: u32,
}

#[derive(Debug)]
struct Entry<T> {
    raw: Box<[u8]>,
    known: T,
    /// The last answer that had it, and where it stood there.
    round: u32,
    position: u32,
}

/// A series, looked up.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a, T> {
    /// Known, and seen for the first time in this answer.
    Known(&'a mut T),
    /// Known, and in this answer before.
    Again(&'a mut T),
    /// Not known.
    New,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher: RandomState::new(),
            before: Vec::new(),
            now: Vec::new(),
            at: 0,
            round: 0,
        }
    }
}

impl<T> Cache<T> {
    /// How many series are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Begins an answer.
    pub fn begin(&mut self) {
        self.round = self.round.wrapping_add(1);
        self.at = 0;
        std::mem::swap(&mut self.before, &mut self.now);
        self.now.clear();
    }

    /// The text that is expected next; empty when there is none.
    #[inline]
    #[must_use]
    pub fn expected(&self) -> &[u8] {
        self.before.get(self.at).and_then(|number| self.entry(*number)).map_or(&[], |entry| &entry.raw)
    }

    /// Looks a series up, and counts it as seen.
    #[inline]
    pub fn find(&mut self, series: &Series<'_>) -> Found<'_, T> {
        let number =
            if series.expected { self.before.get(self.at).copied() } else { self.look_up(series.raw) };
        let Some(number) = number else { return Found::New };
        let (round, position) = (self.round, place(&self.now));
        let Some(Some(entry)) = self.entries.get_mut(number as usize) else { return Found::New };
        if entry.round == round {
            return Found::Again(&mut entry.known);
        }
        self.at = entry.position as usize + 1;
        (entry.round, entry.position) = (round, position);
        self.now.push(number);
        Found::Known(&mut entry.known)
    }

    /// Keeps what is known of a series that [`Cache::find`] did not know, and counts it as seen.
    pub fn insert(&mut self, raw: &[u8], known: T) {
        let entry = Entry { raw: raw.into(), known, round: self.round, position: place(&self.now) };
        let number = match self.free.pop() {
            Some(number) => number,
            None => {
                self.entries.push(None);
                u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX)
            }
        };
        if let Some(place) = self.entries.get_mut(number as usize) {
            *place = Some(entry);
        }
        self.now.push(number);
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.index.insert_unique(hasher.hash_one(raw), number, |it| hash(entries, hasher, *it));
    }

    /// Ends an answer: hands out the series of the answer before that this one does not have, and forgets them.
    pub fn finish(&mut self, mut gone: impl FnMut(T)) {
        let before = std::mem::take(&mut self.before);
        for number in &before {
            if self.entry(*number).is_some_and(|entry| entry.round != self.round) {
                self.remove(*number, &mut gone);
            }
        }
        self.before = before;
    }

    /// Hands out all series and forgets them: the target does not answer.
    pub fn clear(&mut self, gone: impl FnMut(T)) {
        self.entries.drain(..).flatten().map(|entry| entry.known).for_each(gone);
        self.free.clear();
        self.index.clear();
        self.before.clear();
        self.now.clear();
    }

    fn remove(&mut self, number: u32, gone: &mut impl FnMut(T)) {
        let hash = hash(&self.entries, &self.hasher, number);
        if let Ok(found) = self.index.find_entry(hash, |it| *it == number) {
            found.remove();
        }
        if let Some(entry) = self.entries.get_mut(number as usize).and_then(Option::take) {
            self.free.push(number);
            gone(entry.known);
        }
    }

    fn look_up(&self, raw: &[u8]) -> Option<u32> {
        let same = |number: &u32| self.entry(*number).is_some_and(|entry| *entry.raw == *raw);
        self.index.find(self.hasher.hash_one(raw), same).copied()
    }

    #[inline]
    fn entry(&self, number: u32) -> Option<&Entry<T>> {
        self.entries.get(number as usize)?.as_ref()
    }
}

/// Where the next one stands; a number of a series is no longer either.
fn place(now: &[u32]) -> u32 {
    u32::try_from(now.len()).unwrap_or(u32::MAX)
}

fn hash<T>(entries: &[Option<Entry<T>>], hasher: &RandomState, number: u32) -> u64 {
    let raw = entries.get(number as usize).and_then(Option::as_ref).map_or(&[][..], |entry| &entry.raw);
    hasher.hash_one(raw)
}
