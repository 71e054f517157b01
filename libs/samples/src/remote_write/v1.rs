use super::messages::{self, WriteRequest};
use super::{DecodeError, Metadata, Request};
use crate::Sample;

pub(super) fn read(message: WriteRequest) -> Result<Request, DecodeError> {
    let mut request = Request::default();
    for series in &message.timeseries {
        request.histograms += series.histograms.len();
        request.exemplars += series.exemplars.len();
        let pairs = series.labels.iter().map(|it| (it.name.as_str(), it.value.as_str()));
        let samples = series.samples.iter().map(|it| Sample { at_ms: it.timestamp, value: it.value });
        request.series(pairs, samples);
    }
    request.metadata.extend(message.metadata.into_iter().map(|it| Metadata {
        metric: it.metric,
        kind: messages::kind(it.kind),
        help: it.help,
        unit: it.unit,
    }));
    Ok(request)
}
