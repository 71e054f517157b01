//! Parts of pages, one file each. Each takes contract data and gives HTML; none decides anything.

pub(crate) mod changes;
pub(crate) mod replica;
pub(crate) mod service;
pub(crate) mod state;
pub(crate) mod stores;
pub(crate) mod time;
pub(crate) mod verdict;
