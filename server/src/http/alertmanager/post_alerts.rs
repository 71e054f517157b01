use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use ops_alerts::rules::alert_id;
use ops_contract::{Alert, AlertState, Timestamp};
use serde::Deserialize;

use super::fault::{Fault, body};
use super::shapes::optional_time;
use crate::http::caller::Sender;
use crate::store::alerts::RECEIVED;
use crate::store::inbox::{self, Input};
use crate::{App, clock};

/// Most alerts of a request.
const MOST: usize = 2_000;
/// Most labels, and most annotations, of an alert.
const MOST_LABELS: usize = 100;
/// Longest name, value or address, in bytes.
const LONGEST: usize = 8 * 1024;
/// Most bytes of an alert's texts.
const LARGEST: usize = 64 * 1024;
/// So many invalid alerts are told, the rest is counted.
const TOLD: usize = 20;

/// An alert as it is sent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Posted {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "optional_time")]
    starts_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "optional_time")]
    ends_at: Option<Timestamp>,
    #[serde(default, rename = "generatorURL")]
    generator_url: Option<String>,
}

/// Takes the valid ones, all in one transaction; what is wrong with the others is told.
pub(super) async fn post(
    _: Sender,
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<StatusCode, Fault> {
    let posted: Vec<Posted> = body(request).await?;
    if posted.len() > MOST {
        return Err(Fault::Bad(format!(
            "{} alerts are sent; at most {MOST} at a time are taken",
            posted.len()
        )));
    }
    let (now, timeout) = (clock::now(), app.paging.config().routing.resolve_timeout);
    let (mut good, mut wrong) = (Vec::new(), Vec::new());
    for (at, posted) in posted.into_iter().enumerate() {
        match read(posted, now, timeout) {
            Ok(input) => good.push(input),
            Err(reason) => wrong.push(format!("alert {at}: {reason}")),
        }
    }
    if !good.is_empty() {
        let mut db = app.store.begin().await?;
        for input in &good {
            inbox::put(&mut db, input).await?;
        }
        db.commit().await?;
        app.alerting.wake.activate();
    }
    if wrong.is_empty() {
        return Ok(StatusCode::OK);
    }
    let more = wrong.len().saturating_sub(TOLD);
    wrong.truncate(TOLD);
    wrong.extend((more > 0).then(|| format!("and {more} more")));
    Err(Fault::Bad(format!("{}; {} others were taken", wrong.join("; "), good.len())))
}

fn read(posted: Posted, now: Timestamp, timeout: Duration) -> Result<Input, String> {
    let starts_at = posted.starts_at.or(posted.ends_at).unwrap_or(now);
    let ends_at = posted.ends_at.unwrap_or(now + timeout);
    if ends_at < starts_at {
        return Err("it ends before it starts: endsAt must not be before startsAt".to_owned());
    }
    let mut labels = posted.labels;
    labels.retain(|_, value| !value.is_empty());
    let annotations = posted.annotations.unwrap_or_default();
    if labels.is_empty() {
        return Err("it has no label; at least one with a value is needed".to_owned());
    }
    check("labels", &labels)?;
    check("annotations", &annotations)?;
    let generator_url = posted.generator_url.unwrap_or_default();
    if generator_url.len() > LONGEST {
        return Err(format!("its generatorURL is longer than {LONGEST} bytes"));
    }
    let bytes = [&labels, &annotations].into_iter().flatten().map(|(name, value)| name.len() + value.len());
    let bytes = bytes.sum::<usize>() + generator_url.len();
    if bytes > LARGEST {
        return Err(format!("it has {bytes} bytes of text; at most {LARGEST} are taken"));
    }
    let set =
        ops_samples::Labels::new(&labels).map_err(|error| format!("its labels cannot be taken: {error}"))?;
    let fingerprint = format!("{:016x}", set.fingerprint());
    let fires = ends_at > now;
    let alert = Alert {
        id: alert_id(RECEIVED, &fingerprint, starts_at.0),
        fingerprint,
        rule: RECEIVED.to_owned(),
        state: if fires { AlertState::Firing } else { AlertState::Resolved },
        labels,
        annotations,
        generator_url,
        value: f64::NAN,
        active_at: starts_at,
        fired_at: Some(starts_at),
        keep_firing_since: None,
        no_data_since: None,
        resolved_at: (!fires).then_some(ends_at),
    };
    Ok(Input::Alert { alert: Box::new(alert), ends_at })
}

fn check(what: &str, pairs: &BTreeMap<String, String>) -> Result<(), String> {
    if pairs.len() > MOST_LABELS {
        return Err(format!("it has {} {what}; at most {MOST_LABELS} are taken", pairs.len()));
    }
    for (name, value) in pairs {
        if name.is_empty() {
            return Err(format!("one of its {what} has no name"));
        }
        if name.len() > LONGEST || value.len() > LONGEST {
            let name: String = name.chars().take(60).collect();
            return Err(format!("of its {what} {name:?} is longer than {LONGEST} bytes"));
        }
    }
    Ok(())
}
