//! The series of this server. Whatever brings samples, by push, by scrape or by a rule, brings them here.

mod metadata;

use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard};

use ops_contract::TelemetrySpec;
use ops_samples::{Labels, Sample};
use ops_series::{AppendError, Options, Store};

pub(crate) use ops_series::{Appended, SeriesRef};

pub(crate) use metadata::{Metadata, Metric};

/// Told what came of samples that arrived, on the thread that brought them: it must be quick and not block.
type Listener = Box<dyn Fn(&Appended) + Send + Sync>;

/// The series of this server: the store, what is told when samples arrive, and the queue to other receivers.
pub(crate) struct Series {
    pub(crate) store: Store,
    metadata: RwLock<Metadata>,
    arrivals: OnceLock<Listener>,
}

impl Series {
    /// The series in `store`; nobody is told of arrivals yet.
    pub(crate) fn new(store: Store) -> Self {
        Self { store, metadata: RwLock::default(), arrivals: OnceLock::new() }
    }

    /// Has `listener` told of all samples from now on. The first one stays.
    #[allow(dead_code)]
    pub(crate) fn on_arrival(&self, listener: impl Fn(&Appended) + Send + Sync + 'static) {
        let _ = self.arrivals.set(Box::new(listener));
    }

    /// The number of a series, for [`Series::append`].
    pub(crate) fn resolve(&self, labels: &Labels) -> Result<SeriesRef, AppendError> {
        self.store.resolve(labels)
    }

    /// Takes samples of series that were resolved here before.
    pub(crate) fn append(&self, samples: &[(SeriesRef, Sample)]) -> Appended {
        let appended = self.store.append(samples);
        if let Some(listener) = self.arrivals.get() {
            listener(&appended);
        }
        appended
    }

    /// Takes samples of any series.
    pub(crate) fn append_labelled(&self, samples: &[(Labels, Sample)]) -> Appended {
        let mut known = Vec::with_capacity(samples.len());
        let mut last: Option<(&Labels, SeriesRef)> = None;
        for (labels, sample) in samples {
            let series = match last {
                Some((same, series)) if same == labels => Ok(series),
                _ => self.resolve(labels),
            };
            if let Ok(series) = series {
                last = Some((labels, series));
                known.push((series, *sample));
            }
        }
        let mut appended = self.append(&known);
        appended.too_many += samples.len() - known.len();
        appended
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

/// How the store keeps what the stack asks to be kept.
pub(crate) fn options(spec: &TelemetrySpec) -> Options {
    let ms = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    Options {
        retention_ms: ms(spec.retention),
        retention_bytes: spec.retention_bytes,
        max_series: usize::try_from(spec.max_series).unwrap_or(usize::MAX),
        out_of_order_ms: ms(spec.out_of_order),
        ..Options::default()
    }
}
