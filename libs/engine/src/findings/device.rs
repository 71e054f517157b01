//! R10: a device that has gone silent, requests that nobody answered, and what the control plane saw done to a device.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::{AuditEntry, AuditOutcome, Finding, FindingSeverity, Timestamp};
use serde::{Deserialize, Serialize};

use super::access::Access;
use super::counts::Counts;
use super::first_seen::span;
use super::found::{key, newest};
use super::limits::{DEVICES, REQUESTS};
use super::recent::make_room;
use super::world::World;

/// A response that has not come by then does not come.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);
/// Shorter gaps are within one burst, no pause.
const PAUSE: Duration = Duration::from_secs(1);
/// So many times the usual pause is silence.
const TIMES: u32 = 5;

/// The devices of other systems, and what was asked there and not answered yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Devices {
    devices: BTreeMap<String, Device>,
    requests: BTreeMap<String, Request>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Device {
    last: Timestamp,
    seq: u64,
    /// By [`step`] of their length.
    pauses: Counts,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Request {
    at: Timestamp,
    seq: u64,
    device: String,
}

impl Devices {
    /// Remembers that the device said something, and pairs requests with responses.
    pub(super) fn observe(&mut self, access: &Access<'_>, world: &World<'_>) {
        let Some(name) = access.device.filter(|_| access.is_told_at_once()) else { return };
        if !self.devices.contains_key(name) {
            make_room(&mut self.devices, DEVICES, |it| it.last);
            let first = Device { last: access.at, seq: access.seq, pauses: Counts::default() };
            self.devices.insert(name.to_owned(), first);
        }
        if let Some(device) = self.devices.get_mut(name) {
            let gap = access.at.since(device.last);
            if gap >= PAUSE {
                device.pauses.add(step(gap), access.at, world.spec.memory);
            }
            (device.last, device.seq) = (access.at.max(device.last), access.seq);
        }
        let Some(id) = access.detail("request_id").map(|it| format!("{name}|{it}")) else { return };
        match access.detail("phase") {
            Some("request") => {
                make_room(&mut self.requests, REQUESTS, |it| it.at);
                let request = Request { at: access.at, seq: access.seq, device: name.to_owned() };
                self.requests.insert(id, request);
            }
            Some("response") => {
                self.requests.remove(&id);
            }
            _ => {}
        }
    }

    /// What only time shows.
    pub(super) fn tick(&mut self, now: Timestamp, world: &World<'_>) -> Vec<Finding> {
        let silent = self.devices.iter().filter_map(|(name, device)| device.silence(name, now, world));
        let mut found: Vec<Finding> = silent.collect();
        let mut unanswered: BTreeMap<String, Vec<Request>> = BTreeMap::new();
        self.requests.retain(|_, request| {
            let waits = now.since(request.at) <= ANSWERED_WITHIN;
            if !waits {
                unanswered.entry(request.device.clone()).or_default().push(request.clone());
            }
            waits
        });
        found.extend(unanswered.into_iter().filter_map(|(device, requests)| unheard(&device, &requests)));
        found
    }
}

/// What the control plane says of a device: that its file was cut or is gone, that the store has switched it off.
pub(super) fn tampered(entry: &AuditEntry) -> Option<Finding> {
    let failed = entry.device.is_none() && entry.outcome == AuditOutcome::Failed;
    let (judgement, what) = match entry.action.as_str() {
        _ if !failed => return None,
        "audit.devices" => ("devices", "has too few audit devices, or lost one"),
        "audit.source_cut" => ("cut", "has an audit file that was cut or changed"),
        "audit.source_fault" => ("gone", "has an audit file that is gone or cannot be read"),
        "audit.source_lost" => ("lost", "has an audit file of which a part was never read"),
        _ => return None,
    };
    let detail = |name: &str| entry.details.get(name).filter(|it| !it.is_empty());
    let told = [("gone", "gone"), ("devices", "left"), ("error", "because")]
        .into_iter()
        .filter_map(|(name, words)| Some(format!("; {words}: {}", detail(name)?)))
        .collect::<String>();
    let summary = format!("{} {what}{told}", entry.subject);
    let severity = FindingSeverity::Critical;
    Some(Finding { severity, ..finding(judgement, &entry.subject, entry.at, summary, vec![entry.seq]) })
}

impl Device {
    fn silence(&self, name: &str, now: Timestamp, world: &World<'_>) -> Option<Finding> {
        let usual = length(self.pauses.q99());
        let limit = world.spec.silence.max(usual.saturating_mul(TIMES));
        let silent = now.since(self.last);
        (silent > limit).then(|| {
            let (silent, limit) = (span(silent), span(limit));
            let summary = format!("the device {name} has said nothing for {silent}; the limit is {limit}");
            // By its beginning: one silence is one finding, however long it is.
            finding("silence", name, self.last, summary, vec![self.seq])
        })
    }
}

fn unheard(device: &str, requests: &[Request]) -> Option<Finding> {
    let first = requests.iter().min_by_key(|it| it.seq)?;
    let number = requests.len();
    let summary = format!(
        "{number} requests to {device} have no response after {} s, the first is entry {}: the server ended, or could \
         not record it",
        ANSWERED_WITHIN.as_secs(),
        first.seq
    );
    Some(finding("unanswered", device, first.at, summary, requests.iter().map(|it| it.seq).collect()))
}

fn finding(judgement: &str, device: &str, at: Timestamp, summary: String, evidence: Vec<u64>) -> Finding {
    Finding {
        rule: "R10".to_owned(),
        key: key("R10", judgement, device, "", at),
        severity: FindingSeverity::Warning,
        principal: device.to_owned(),
        secret: String::new(),
        at,
        summary,
        evidence: newest(evidence),
        learning: false,
    }
}

/// Lengths of pauses on a scale of eight steps to each doubling of milliseconds.
fn step(pause: Duration) -> u32 {
    let ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX).max(8);
    let doublings = ms.ilog2();
    let eighths = u32::try_from((ms >> (doublings - 3)) & 7).unwrap_or(0);
    doublings * 8 + eighths
}

/// The longest pause of a step; zero of none.
fn length(step: u32) -> Duration {
    let (doublings, eighths) = (step / 8, u64::from(step % 8));
    let eighth = doublings.checked_sub(3).map_or(0, |it| 1_u64.checked_shl(it).unwrap_or(u64::MAX));
    Duration::from_millis(eighth.saturating_mul(9 + eighths))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_at_most_an_eighth_longer_than_its_pauses() {
        for ms in [8, 9, 1_000, 1_023, 1_024, 86_400_000, 7_777_777_777] {
            let (pause, told) = (Duration::from_millis(ms), length(step(Duration::from_millis(ms))));
            assert!(told >= pause && told <= pause + pause / 8 + Duration::from_millis(1), "{ms} {told:?}");
        }
        assert_eq!(length(0), Duration::ZERO);
        assert!(length(step(Duration::MAX)) > Duration::from_secs(1 << 50));
    }
}
