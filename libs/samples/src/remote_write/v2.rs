use super::messages::{self, v2};
use super::{DecodeError, Metadata, Request};
use crate::{NAME, Sample};

pub(super) fn read(message: v2::Request) -> Result<Request, DecodeError> {
    let symbols = &message.symbols;
    if symbols.first().is_some_and(|first| !first.is_empty()) {
        return Err(DecodeError::FirstSymbol);
    }
    let symbol = |at: u32| {
        let text = usize::try_from(at).ok().and_then(|at| symbols.get(at));
        text.map(String::as_str).ok_or(DecodeError::Symbol(at))
    };
    let mut request = Request::default();
    let mut pairs = Vec::new();
    for series in &message.timeseries {
        pairs.clear();
        let (chunks, rest) = series.labels_refs.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(DecodeError::Odd);
        }
        for [name, value] in chunks {
            pairs.push((symbol(*name)?, symbol(*value)?));
        }
        request.histograms += series.histograms.len();
        request.exemplars += series.exemplars.len();
        let samples = series.samples.iter().map(|it| Sample { at_ms: it.timestamp, value: it.value });
        request.series(pairs.iter().copied(), samples);
        let Some(metadata) = series.metadata else { continue };
        let metric = pairs.iter().find(|(name, _)| *name == NAME).map_or("", |(_, value)| *value);
        let (help, unit) = (symbol(metadata.help_ref)?, symbol(metadata.unit_ref)?);
        if metadata.kind == 0 && help.is_empty() && unit.is_empty() {
            continue;
        }
        let kind = messages::kind(metadata.kind);
        let metric = family(metric, kind);
        if request.metadata.last().is_none_or(|last| last.metric != metric) {
            let (metric, help, unit) = (metric.to_owned(), help.to_owned(), unit.to_owned());
            request.metadata.push(Metadata { metric, kind, help, unit });
        }
    }
    Ok(request)
}

/// The family of a series: histograms and summaries have several.
fn family<'a>(metric: &'a str, kind: &str) -> &'a str {
    let suffixes: &[&str] = match kind {
        "histogram" | "gaugehistogram" => &["_bucket", "_count", "_sum"],
        "summary" => &["_count", "_sum"],
        _ => &[],
    };
    suffixes.iter().find_map(|it| metric.strip_suffix(it)).unwrap_or(metric)
}
