//! Secrets: where they lie, who may have them, and the record of who had them.

pub(crate) mod stores;
