//! Which series there are: by number, by label set, by the name of their metric.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashTable;
use ops_samples::Labels;

use crate::Matcher;
use crate::filter::Filter;
use crate::series::Data;

/// A series and its samples.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    /// Number of its metric's name.
    pub(crate) name: u32,
    data: Mutex<Data>,
}

impl Series {
    pub(crate) fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All series that got samples lately.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// By number. Numbers are not used twice.
    series: Vec<Option<Arc<Series>>>,
    index: HashTable<u32>,
    hasher: RandomState,
    names: Vec<Name>,
    by_name: HashMap<Arc<str>, u32>,
    active: usize,
}

#[derive(Debug)]
struct Name {
    text: Arc<str>,
    series: Vec<u32>,
}

impl Head {
    /// How many series there are.
    pub(crate) fn len(&self) -> usize {
        self.active
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Arc<Series>> {
        self.series.get(number as usize)?.as_ref()
    }

    pub(crate) fn find(&self, labels: &Labels) -> Option<u32> {
        let same = |number: &u32| self.get(*number).is_some_and(|it| it.labels == *labels);
        self.index.find(self.hasher.hash_one(labels), same).copied()
    }

    /// Makes a series that is not there yet.
    pub(crate) fn insert(&mut self, labels: &Labels) -> u32 {
        let number = u32::try_from(self.series.len()).unwrap_or(u32::MAX);
        let name = self.name_number(labels.metric());
        let series = Series { labels: labels.clone(), name, data: Mutex::default() };
        self.series.push(Some(Arc::new(series)));
        if let Some(name) = self.names.get_mut(name as usize) {
            name.series.push(number);
        }
        let (series, hasher) = (&self.series, &self.hasher);
        let hash = |number: &u32| match series.get(*number as usize) {
            Some(Some(it)) => hasher.hash_one(&it.labels),
            _ => 0,
        };
        self.index.insert_unique(hasher.hash_one(labels), number, hash);
        self.active += 1;
        number
    }

    /// Forgets the series for which `keep` says no.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Series) -> bool) -> usize {
        let mut gone = 0;
        for number in 0..u32::try_from(self.series.len()).unwrap_or(u32::MAX) {
            let Some(series) = self.get(number).filter(|it| !keep(it)).cloned() else { continue };
            let hash = self.hasher.hash_one(&series.labels);
            if let Ok(found) = self.index.find_entry(hash, |it| *it == number) {
                found.remove();
            }
            if let Some(place) = self.series.get_mut(number as usize) {
                *place = None;
            }
            gone += 1;
        }
        if gone > 0 {
            let alive = |number: &u32| matches!(self.series.get(*number as usize), Some(Some(_)));
            for name in &mut self.names {
                name.series.retain(alive);
                name.series.shrink_to_fit();
            }
            self.active -= gone;
        }
        gone
    }

    /// The text of a name's number.
    pub(crate) fn name(&self, number: u32) -> Option<Arc<str>> {
        self.names.get(number as usize).map(|name| name.text.clone())
    }

    /// Every series.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, &Arc<Series>)> {
        let numbered = (0_u32..).zip(&self.series);
        numbered.filter_map(|(number, it)| it.as_ref().map(|it| (number, it)))
    }

    /// The series that meet all matchers, in the order in which they were made.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> Vec<Arc<Series>> {
        let mut filter = Filter::new(matchers);
        let names = self.names.iter().filter(|name| filter.takes_name(&name.text));
        let numbers = names.flat_map(|name| &name.series);
        let mut found: Vec<(u32, &Arc<Series>)> =
            numbers.filter_map(|number| Some((*number, self.get(*number)?))).collect();
        let mut rest = Filter::new(matchers);
        found.retain(|(_, series)| rest.takes(&series.labels));
        found.sort_unstable_by_key(|(number, _)| *number);
        found.into_iter().map(|(_, series)| series.clone()).collect()
    }

    /// Metrics with the most series.
    pub(crate) fn largest(&self, most: usize) -> Vec<(String, usize)> {
        let mut all: Vec<(&Arc<str>, usize)> =
            self.names.iter().map(|name| (&name.text, name.series.len())).filter(|it| it.1 > 0).collect();
        all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        all.into_iter().take(most).map(|(name, count)| (name.to_string(), count)).collect()
    }

    fn name_number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.by_name.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = name.into();
        self.names.push(Name { text: text.clone(), series: Vec::new() });
        self.by_name.insert(text, number);
        number
    }
}
