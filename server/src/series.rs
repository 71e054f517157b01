//! The series of this server. Whatever brings samples, by push, by scrape or by a rule, brings them here.

mod metadata;
mod outlet;
mod queue;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use ops_contract::TelemetrySpec;
use ops_samples::{Labels, Sample};
use ops_series::{AppendError, Options, Store};

pub(crate) use ops_series::{Appended, SeriesRef};

pub(crate) use metadata::{Metadata, Metric};
pub(crate) use outlet::Outlet;

/// Told what came of samples that arrived, on the thread that brought them: it must be quick and not block.
type Listener = Box<dyn Fn(&Appended) + Send + Sync>;

/// The series of this server: the store, what is told when samples arrive, and the queues to other receivers.
pub(crate) struct Series {
    pub(crate) store: Store,
    metadata: RwLock<Metadata>,
    arrivals: OnceLock<Listener>,
    outlets: Vec<Arc<Outlet>>,
    /// The labels of numbers that were given away; kept only where samples are sent on.
    names: RwLock<HashMap<SeriesRef, Labels>>,
}

impl Series {
    /// The series in `store`, which are sent on through `outlets`; nobody is told of arrivals yet.
    pub(crate) fn new(store: Store, outlets: Vec<Arc<Outlet>>) -> Self {
        Self {
            store,
            metadata: RwLock::default(),
            arrivals: OnceLock::new(),
            outlets,
            names: RwLock::default(),
        }
    }

    /// Has `listener` told of all samples from now on. The first one stays.
    pub(crate) fn on_arrival(&self, listener: impl Fn(&Appended) + Send + Sync + 'static) {
        let _ = self.arrivals.set(Box::new(listener));
    }

    /// The number of a series, for [`Series::append`].
    pub(crate) fn resolve(&self, labels: &Labels) -> Result<SeriesRef, AppendError> {
        let number = self.store.resolve(labels)?;
        if !self.outlets.is_empty() {
            self.names.write().unwrap_or_else(PoisonError::into_inner).insert(number, labels.clone());
        }
        Ok(number)
    }

    /// Takes samples of series that were resolved here before.
    pub(crate) fn append(&self, samples: &[(SeriesRef, Sample)]) -> Appended {
        if !self.outlets.is_empty() {
            let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
            let named = |(number, sample): &(SeriesRef, Sample)| Some((names.get(number)?.clone(), *sample));
            let named: Vec<(Labels, Sample)> = samples.iter().filter_map(named).collect();
            drop(names);
            self.send_on(&named);
        }
        let appended = self.told(self.store.append(samples));
        if !appended.unknown.is_empty() && !self.outlets.is_empty() {
            let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
            appended.unknown.iter().for_each(|number| drop(names.remove(number)));
        }
        appended
    }

    /// Takes samples of any series.
    pub(crate) fn append_labelled(&self, samples: &[(Labels, Sample)]) -> Appended {
        self.send_on(samples);
        self.told(self.store.append_labelled(samples))
    }

    fn told(&self, appended: Appended) -> Appended {
        if let Some(listener) = self.arrivals.get() {
            listener(&appended);
        }
        appended
    }

    fn send_on(&self, samples: &[(Labels, Sample)]) {
        if !samples.is_empty() {
            self.outlets.iter().for_each(|outlet| outlet.push(samples));
        }
    }

    /// The queues to other receivers, in the order of the stack.
    pub(crate) fn outlets(&self) -> &[Arc<Outlet>] {
        &self.outlets
    }

    /// What metrics are.
    pub(crate) fn metadata(&self) -> RwLockReadGuard<'_, Metadata> {
        self.metadata.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what metrics are.
    pub(crate) fn describe(&self, metrics: impl IntoIterator<Item = (String, Metric)>) {
        let mut metadata = self.metadata.write().unwrap_or_else(PoisonError::into_inner);
        for (name, metric) in metrics {
            metadata.insert(name, metric);
        }
    }
}

/// The queues of the receivers that the stack names; none without a folder to keep them in.
pub(crate) fn outlets(spec: &TelemetrySpec, folder: Option<&Path>) -> anyhow::Result<Vec<Arc<Outlet>>> {
    let Some(folder) = folder.map(|it| it.join("remote-write")) else { return Ok(Vec::new()) };
    spec.remote_write.iter().map(|it| Outlet::open(&folder, &it.url).map(Arc::new)).collect()
}

/// How the store keeps what the stack asks to be kept.
pub(crate) fn options(spec: &TelemetrySpec) -> Options {
    let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    Options {
        retention_ms: ms(spec.retention),
        retention_bytes: spec.retention_bytes,
        max_series: usize::try_from(spec.max_series).unwrap_or(usize::MAX),
        out_of_order_ms: ms(spec.out_of_order),
        ..Options::default()
    }
}
