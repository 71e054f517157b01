//! Parts of pages, one file each. Each takes contract data and gives HTML; none decides anything.

pub(crate) mod acknowledge;
pub(crate) mod alert;
pub(crate) mod changes;
pub(crate) mod figure;
pub(crate) mod headline;
pub(crate) mod incident;
pub(crate) mod nav;
pub(crate) mod notification;
pub(crate) mod queue;
pub(crate) mod queue_store;
pub(crate) mod replica;
pub(crate) mod rule;
pub(crate) mod rule_group;
pub(crate) mod scaled_service;
pub(crate) mod scaling_chart;
pub(crate) mod series_chart;
pub(crate) mod series_table;
pub(crate) mod service;
pub(crate) mod state;
pub(crate) mod stores;
pub(crate) mod time;
pub(crate) mod verdict;
pub(crate) mod waiting;
