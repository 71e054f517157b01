//! A finding that somebody is to be told of, as an alert: one for each key and severity, until it is closed or nothing was
//! found for an hour.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_alerts::rules::alert_id;
use ops_contract::{Alert, AlertState, Finding, Timestamp};
use sqlx::AnyConnection;

use crate::store;
use crate::store::alerts::RECEIVED;
use crate::store::findings::Kept;
use crate::store::inbox::{self, Input};

const NAME: &str = "SecretFinding";
/// So long an alert fires after what was found last.
pub(super) const LASTS: Duration = Duration::from_secs(3_600);
/// So much later it is said again that an alert goes on.
const AGAIN: Duration = Duration::from_secs(60);

/// Puts in what is to be told of a finding that was `before` and now is `kept`; whether there is anything.
pub(super) async fn tell(
    db: &mut AnyConnection,
    before: Option<&Kept>,
    kept: &mut Kept,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let until = kept.view.last_at + LASTS;
    let fired = before.filter(|it| it.alert_until.is_some_and(|it| it > now));
    let fires = kept.is_told() && until > now;
    kept.alert_until = fires.then_some(until);
    // With another severity it is another alert: the one before ends.
    let ended = fired.filter(|it| !fires || it.view.finding.severity != kept.view.finding.severity);
    if let Some(ended) = ended {
        inbox::put(db, &input(&ended.view.finding, now, now)?).await?;
    }
    let goes_on = fired.filter(|_| ended.is_none());
    let is_news = goes_on.is_none_or(|it| {
        it.view.finding != kept.view.finding || it.alert_until.is_none_or(|told| told + AGAIN <= until)
    });
    if fires && is_news {
        inbox::put(db, &input(&kept.view.finding, until, now)?).await?;
    } else if let Some(fired) = goes_on {
        kept.alert_until = fired.alert_until;
    }
    Ok(ended.is_some() || fires && is_news)
}

/// The alert of a finding that ends at `until`, as others would send it.
fn input(finding: &Finding, until: Timestamp, now: Timestamp) -> anyhow::Result<Input> {
    let severity = store::word(&finding.severity)?;
    let mut labels = BTreeMap::from([
        ("alertname".to_owned(), NAME.to_owned()),
        ("rule".to_owned(), finding.rule.clone()),
        ("principal".to_owned(), finding.principal.clone()),
        ("secret".to_owned(), finding.secret.clone()),
        ("severity".to_owned(), severity),
        ("finding".to_owned(), finding.key.clone()),
    ]);
    labels.retain(|_, value| !value.is_empty());
    let fingerprint = format!("{:016x}", ops_samples::Labels::new(&labels)?.fingerprint());
    let entries: Vec<String> = finding.evidence.iter().map(u64::to_string).collect();
    let annotations = BTreeMap::from([
        ("summary".to_owned(), finding.summary.clone()),
        ("description".to_owned(), format!("Rule {}; audit entries {}.", finding.rule, entries.join(", "))),
        ("evidence".to_owned(), entries.join(",")),
        (
            "runbook".to_owned(),
            "Open /audit and look at the entries; docs/findings.md says what each rule asks. Then run \
             `insightdesk audit findings close KEY --reason …` with the label finding as KEY."
                .to_owned(),
        ),
    ]);
    let fires = until > now;
    let alert = Alert {
        id: alert_id(RECEIVED, &fingerprint, finding.at.0),
        fingerprint,
        rule: RECEIVED.to_owned(),
        state: if fires { AlertState::Firing } else { AlertState::Resolved },
        labels,
        annotations,
        generator_url: "/audit".to_owned(),
        value: f64::NAN,
        active_at: Timestamp(finding.at.0.min(now.0)),
        fired_at: Some(now),
        keep_firing_since: None,
        no_data_since: None,
        resolved_at: (!fires).then_some(until),
    };
    Ok(Input::Alert { alert: Box::new(alert), ends_at: until })
}
