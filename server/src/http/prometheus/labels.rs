use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use ops_promql::EvalError;
use ops_series::SelectError;

use super::error::Fault;
use super::json;
use super::params::Params;
use crate::App;
use crate::http::caller::Reader;
use crate::series::Metric;

const CUT: &str = "results truncated due to limit";

/// Which series there are.
pub(super) async fn series(
    _: Reader,
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Response, Fault> {
    let matchers = params.matchers()?;
    if matchers.is_empty() {
        return Err(Fault::BadData("no match[] parameter provided".to_owned()));
    }
    let (start, end) = params.span()?;
    let limit = params.limit("limit")?;
    aside(move || {
        let most = limit.unwrap_or(usize::MAX);
        let (found, more) = app.series.store.series(&matchers, start.saturating_sub(1), end, most)?;
        let mut out = json::begin(found.iter().map(|it| it.as_bytes().len() * 3 / 2 + 16).sum());
        json::list(&mut out, &found, json::labels);
        Ok(json::finish(out, &warnings(more), &[]))
    })
    .await
}

/// Which labels there are.
pub(super) async fn names(_: Reader, State(app): State<Arc<App>>, params: Params) -> Result<Response, Fault> {
    let (matchers, (start, end), limit) = (params.matchers()?, params.span()?, params.limit("limit")?);
    aside(move || Ok(texts(app.series.store.label_names(&matchers, start.saturating_sub(1), end)?, limit)))
        .await
}

/// Which values a label has.
pub(super) async fn values(
    _: Reader,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Response, Fault> {
    let name = unescape(&name);
    if name.is_empty() {
        return Err(Fault::BadData("invalid label name: \"\"".to_owned()));
    }
    let (matchers, (start, end), limit) = (params.matchers()?, params.span()?, params.limit("limit")?);
    aside(move || {
        Ok(texts(app.series.store.label_values(&name, &matchers, start.saturating_sub(1), end)?, limit))
    })
    .await
}

/// What metrics are.
pub(super) async fn metadata(
    _: Reader,
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Response, Fault> {
    let limit = params.limit("limit")?.unwrap_or(usize::MAX);
    params.limit("limit_per_metric")?;
    let metric = params.get("metric");
    let metadata = app.series.metadata();
    let found = metadata.iter().filter(|(name, _)| metric.is_none_or(|it| it == name.as_str())).take(limit);
    let mut out = json::begin(4_096);
    out.push('{');
    for (at, (name, metric)) in found.enumerate() {
        if at > 0 {
            out.push(',');
        }
        json::text(&mut out, name);
        out.push_str(":[");
        let Metric { kind, help, unit } = metric;
        json::pairs(&mut out, [("type", kind.as_str()), ("help", help), ("unit", unit)]);
        out.push(']');
    }
    out.push('}');
    Ok(answer(json::finish(out, &[], &[])))
}

fn texts(mut found: Vec<String>, limit: Option<usize>) -> String {
    let more = limit.is_some_and(|limit| found.len() > limit);
    found.truncate(limit.unwrap_or(usize::MAX));
    let mut out = json::begin(found.iter().map(|it| it.len() + 3).sum());
    json::texts_of(&mut out, &found);
    json::finish(out, &warnings(more), &[])
}

fn warnings(more: bool) -> Vec<String> {
    if more { vec![CUT.to_owned()] } else { Vec::new() }
}

/// Reads the store on a thread that may block.
async fn aside(
    read: impl FnOnce() -> Result<String, SelectError> + Send + 'static,
) -> Result<Response, Fault> {
    let text = tokio::task::spawn_blocking(read).await.map_err(|error| {
        tracing::error!(%error, "the series could not be looked up");
        Fault::Internal("the series could not be looked up; the server's log says why".to_owned())
    })?;
    Ok(answer(text.map_err(EvalError::from)?))
}

pub(super) fn answer(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// A name as an address carries it when it is no plain one: `U__` before it, `_2e_` for a dot, `__` for `_`. What is not
/// written so is taken as it is.
fn unescape(name: &str) -> String {
    name.strip_prefix("U__").and_then(unescaped).unwrap_or_else(|| name.to_owned())
}

fn unescaped(mut rest: &str) -> Option<String> {
    let mut out = String::with_capacity(rest.len());
    while let Some((plain, after)) = rest.split_once('_') {
        out.push_str(plain);
        if let Some(after) = after.strip_prefix('_') {
            out.push('_');
            rest = after;
            continue;
        }
        let (code, after) = after.split_once('_')?;
        if code.len() > 6 || !code.bytes().all(|it| it.is_ascii_hexdigit()) {
            return None;
        }
        out.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn names_are_read_back_from_addresses() {
        let cases = [
            ("job", "job"),
            ("U__http_2e_status", "http.status"),
            ("U__a__b", "a_b"),
            ("U__gr_f6__df_e", "größe"),
            ("U___1f600_", "😀"),
            ("U__broken_", "U__broken_"),
            ("U__x_zz_", "U__x_zz_"),
            ("U___ffffffff_", "U___ffffffff_"),
            ("U___d800_", "U___d800_"),
        ];
        for (escaped, name) in cases {
            assert_eq!(unescape(escaped), name, "{escaped}");
        }
    }
}
