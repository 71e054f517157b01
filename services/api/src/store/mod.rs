//! All SQL of the API, one file per table. Functions take a pool and return plain rows; times are micros since 1970.

pub(crate) mod outbox;
pub(crate) mod reads;
pub(crate) mod tickets;
pub(crate) mod users;
