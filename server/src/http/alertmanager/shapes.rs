//! Alertmanager's forms of times, alerts and silences.

use std::collections::BTreeMap;

use ops_alerts::dispatch::Muted;
use ops_alerts::routing::{Routing, SilenceState, Silences, silence_state};
use ops_contract::{Alert, AlertState, Silence, Timestamp};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Value, json};

use crate::store::{alerts, silences};
use crate::{App, clock};

/// Most silences that are read at once.
const MOST: u32 = 10_000;

/// A time as Alertmanager writes it.
pub(super) fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0)
        .map(|it| it.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
        .unwrap_or_default()
}

/// Reads a time; Go's zero time is none.
pub(super) fn optional_time<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(source)?.filter(|it| !it.is_empty()) else {
        return Ok(None);
    };
    let at: jiff::Timestamp = text.parse().map_err(|_| {
        let text: String = text.chars().take(60).collect();
        D::Error::custom(format!("{text:?} is not a time such as 2026-01-31T12:00:00Z"))
    })?;
    // The first of January of the year 1 is 62135596800 s before 1970.
    Ok(Some(Timestamp(at.as_microsecond())).filter(|it| it.0 > -62_135_596_800_000_000))
}

/// A silence.
pub(super) fn silence(it: &Silence, now: Timestamp) -> Value {
    json!({
        "id": it.id, "status": {"state": state(silence_state(it, now))}, "updatedAt": time(it.updated_at),
        "matchers": it.matchers, "startsAt": time(it.starts_at), "endsAt": time(it.ends_at),
        "createdBy": it.created_by, "comment": it.comment, "annotations": it.annotations,
    })
}

pub(super) fn state(state: SilenceState) -> &'static str {
    match state {
        SilenceState::Pending => "pending",
        SilenceState::Active => "active",
        SilenceState::Expired => "expired",
    }
}

/// What fires, and what keeps it from being told.
pub(super) struct Firing {
    pub(super) alerts: Vec<Alert>,
    pub(super) routing: std::sync::Arc<Routing>,
    muted: BTreeMap<String, Muted>,
    silences: Silences,
    external_url: String,
    routed: bool,
    now: Timestamp,
}

impl Firing {
    /// Silences are read from the store: one that was just made counts at once.
    pub(super) async fn read(app: &App) -> Result<Self, sqlx::Error> {
        let now = clock::now();
        let routing = app.paging.config().routing.clone();
        // One after the other: who holds the dispatcher may wait for a connection, and there are two.
        let known = app
            .paging
            .dispatcher
            .lock()
            .await
            .as_ref()
            .map(|it| (it.alerts().cloned().collect::<Vec<_>>(), it.muted().clone()));
        let mut db = app.store.connection().await?;
        let (silences, _) = Silences::new(silences::ending_after(&mut db, now, MOST).await?);
        let (mut alerts, muted) = match known {
            Some(known) => known,
            None => (alerts::told_or_firing(&mut db).await?, BTreeMap::new()),
        };
        alerts.retain(|it| it.state == AlertState::Firing);
        alerts.sort_by(|a, b| (&a.fingerprint, &a.id).cmp(&(&b.fingerprint, &b.id)));
        Ok(Self {
            alerts,
            routing,
            muted,
            silences,
            external_url: app.external_url.clone(),
            routed: app.paging.is_configured(),
            now,
        })
    }

    /// What keeps one from being told: silences, other alerts by their fingerprints, time intervals.
    pub(super) fn suppressed_by(&self, alert: &Alert) -> (Vec<&str>, Vec<&str>, &[String]) {
        let muted = self.muted.get(&alert.id);
        let causes = muted.into_iter().flat_map(|it| [&it.inhibited_by, &it.folded_under]).flatten();
        let print =
            |id: &String| self.alerts.iter().find(|it| it.id == *id).map(|it| it.fingerprint.as_str());
        (
            self.silences.muting(&alert.labels, self.now),
            causes.filter_map(print).collect(),
            muted.map_or(&[], |it| it.intervals.as_slice()),
        )
    }

    /// One alert; `wants` says which states are asked for.
    pub(super) fn show(&self, alert: &Alert, wants: impl Fn(&str) -> bool) -> Option<Value> {
        let (silenced, inhibited, muted) = self.suppressed_by(alert);
        let active = silenced.is_empty() && inhibited.is_empty();
        let unwanted = active && !wants("active")
            || !silenced.is_empty() && !wants("silenced")
            || !inhibited.is_empty() && !wants("inhibited");
        if unwanted {
            return None;
        }
        // Before the file was read nobody knows.
        let routes = if self.routed { self.routing.routes(&alert.labels) } else { Default::default() };
        let receivers: Vec<Value> = routes.iter().map(|it| json!({"name": it.receiver})).collect();
        let state = if active && muted.is_empty() { "active" } else { "suppressed" };
        let mut value = json!({
            "labels": alert.labels, "annotations": alert.annotations, "receivers": receivers,
            "fingerprint": alert.fingerprint, "startsAt": time(alert.fired_at.unwrap_or(alert.active_at)),
            // As if its sender had said it again now.
            "updatedAt": time(self.now), "endsAt": time(self.now + self.routing.resolve_timeout),
            "status": {"state": state, "silencedBy": silenced, "inhibitedBy": inhibited, "mutedBy": muted},
        });
        if !alert.generator_url.is_empty() {
            value["generatorURL"] = json!(crate::paging::absolute(&self.external_url, &alert.generator_url));
        }
        Some(value)
    }
}

/// Alertmanager's order: active ones that end next, pending ones that begin next, expired ones that ended last.
pub(super) fn order(it: &Silence, now: Timestamp) -> (u8, i64) {
    match silence_state(it, now) {
        SilenceState::Active => (0, it.ends_at.0),
        SilenceState::Pending => (1, it.starts_at.0),
        SilenceState::Expired => (2, -it.ends_at.0),
    }
}
