//! The on-call file: schedules, escalation policies, and which policy an incident follows.

use std::collections::{BTreeMap, BTreeSet};

use ops_contract::Timestamp;
use serde::Deserialize;

use super::{Calendar, Person, Policies, Policy, PolicySettings, Schedule, ScheduleSettings};
use crate::rules::Fault;

/// Largest file in bytes.
const LARGEST: usize = 1 << 20;

/// Who is on call, and who is told when nobody answers.
#[derive(Clone, Debug, Default)]
pub struct OnCall {
    schedules: BTreeMap<String, Schedule>,
    policies: Policies,
    /// Schedule and where its calendar is.
    calendars: BTreeMap<String, String>,
    /// Severity and policy; the severity `*` stands for all others.
    by_severity: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    schedules: BTreeMap<String, ScheduleSettings>,
    escalations: BTreeMap<String, PolicySettings>,
    /// Severity and the name of a policy.
    incidents: BTreeMap<String, String>,
}

impl OnCall {
    /// Reads the file. `receivers`: those that there are; a person of a schedule is told by the receiver of that name.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn load(file: &str, text: &str, receivers: &BTreeSet<&str>) -> Result<Self, Vec<Fault>> {
        let fault = |place: &str, problem: String, fix: &str| Fault {
            file: file.to_owned(),
            line: None,
            place: place.to_owned(),
            problem,
            fix: fix.to_owned(),
        };
        if text.len() > LARGEST {
            return Err(vec![fault("", format!("the file is larger than {LARGEST} bytes"), "")]);
        }
        let settings: File = serde_saphyr::from_str(text)
            .map_err(|error| vec![fault("", error.to_string(), "see docs/paging.md")])?;
        let mut faults = Vec::new();
        let mut schedules = BTreeMap::new();
        for (name, it) in &settings.schedules {
            match Schedule::read(file, name, it) {
                Ok(schedule) => drop(schedules.insert(name.clone(), schedule)),
                Err(found) => faults.extend(found),
            }
            let people = it.layers.iter().flat_map(|layer| &layer.people);
            let people = people.chain(it.overrides.iter().map(|it| &it.person));
            for person in people.collect::<BTreeSet<_>>() {
                if !receivers.contains(person.as_str()) {
                    let problem = format!("{person} cannot be told");
                    let fix = format!("add a receiver named {person} to the Alertmanager file");
                    faults.push(fault(&format!("schedules.{name}"), problem, &fix));
                }
            }
        }
        let calendars = settings.schedules.iter().filter(|(_, it)| !it.calendar.trim().is_empty());
        let calendars = calendars.map(|(name, it)| (name.clone(), it.calendar.trim().to_owned())).collect();
        let names: BTreeSet<&str> = settings.schedules.keys().map(String::as_str).collect();
        let policies = Policies::read(file, &settings.escalations, receivers, &names)
            .map_err(|found| faults.extend(found))
            .unwrap_or_default();
        for (severity, policy) in &settings.incidents {
            if !settings.escalations.contains_key(policy) {
                let problem = format!("there is no policy {policy:?}");
                faults.push(fault(&format!("incidents.{severity}"), problem, "name one of the escalations"));
            }
        }
        if faults.is_empty() {
            Ok(Self { schedules, policies, calendars, by_severity: settings.incidents })
        } else {
            Err(faults)
        }
    }

    /// Schedules that have a calendar, and the file or address of each as it stands in the file.
    pub fn calendars(&self) -> impl Iterator<Item = (&str, &str)> {
        self.calendars.iter().map(|(name, place)| (name.as_str(), place.as_str()))
    }

    /// Reads the calendar of a schedule. With it come remarks: what is left out of it, and who in the next 90 days cannot be told.
    ///
    /// # Errors
    /// Why it is none; the schedule stays as it was.
    pub fn read_calendar(
        &mut self,
        schedule: &str,
        text: &str,
        receivers: &BTreeSet<&str>,
        now: Timestamp,
    ) -> Result<Vec<Fault>, Vec<Fault>> {
        let Some(known) = self.schedules.get_mut(schedule) else { return Ok(Vec::new()) };
        let file = format!("the calendar of {schedule}");
        let (calendar, mut remarks) = Calendar::parse(&file, text, known.zone())?;
        let until = Timestamp(now.0.saturating_add(90 * 86_400_000_000));
        let people: BTreeSet<&str> =
            calendar.spans(now, until).into_iter().map(|(_, _, person)| person.0.as_str()).collect();
        for person in people.into_iter().filter(|it| !receivers.contains(it)) {
            remarks.push(Fault {
                file: file.clone(),
                line: None,
                place: String::new(),
                problem: format!("{person} cannot be told"),
                fix: format!("add a receiver named {person} to the Alertmanager file"),
            });
        }
        *known = known.clone().with_calendar(calendar);
        Ok(remarks)
    }

    /// The policy of incidents of this severity.
    #[must_use]
    pub fn policy_for(&self, severity: &str) -> Option<&str> {
        self.by_severity.get(severity).or_else(|| self.by_severity.get("*")).map(String::as_str)
    }

    /// A policy.
    #[must_use]
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.get(name)
    }

    /// Who is on call now, by schedule.
    #[must_use]
    pub fn now(&self, at: Timestamp) -> Vec<(String, Vec<Person>)> {
        self.schedules.iter().map(|(name, schedule)| (name.clone(), schedule.on_call(at))).collect()
    }

    /// The receivers that a level of a policy means at a moment; each once.
    #[must_use]
    pub fn receivers(&self, policy: &str, level: usize, at: Timestamp) -> Vec<String> {
        let Some(level) = self.policy(policy).and_then(|policy| policy.levels.get(level)) else {
            return Vec::new();
        };
        let people = level.schedules.iter().filter_map(|name| self.schedules.get(name));
        let people = people.flat_map(|schedule| schedule.on_call(at)).map(|person| person.0);
        let mut names: Vec<String> = level.receivers.iter().cloned().chain(people).collect();
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const FILE: &str = "
schedules:
  primary:
    time_zone: Europe/Berlin
    layers:
      - {people: [anna, ben], start: '2030-01-07', rotation: 1w, handover: '09:00'}
escalations:
  page:
    levels:
      - {after: 5m, schedules: [primary]}
      - {after: 15m, receivers: [managers], schedules: [primary]}
incidents: {critical: page}
";

    #[test]
    fn a_level_means_receivers_and_whoever_is_on_call() {
        let all = BTreeSet::from(["anna", "ben", "managers"]);
        let it = OnCall::load("oncall.yml", FILE, &all).unwrap();
        assert_eq!(it.policy_for("critical"), Some("page"));
        assert_eq!(it.policy_for("warning"), None);
        // 2030-01-08 and a week later, at noon.
        let (first, second) = (Timestamp(1_894_104_000_000_000), Timestamp(1_894_708_800_000_000));
        assert_eq!(it.receivers("page", 0, first), ["anna"]);
        assert_eq!(it.receivers("page", 1, second), ["managers", "ben"]);
        assert_eq!(it.receivers("page", 2, second), [""; 0]);
    }

    #[test]
    fn a_calendar_says_who_is_on_call_and_who_in_it_cannot_be_told() {
        let text = "
schedules: {primary: {time_zone: Europe/Berlin, calendar: ' https://calendar.example/private.ics'}}
escalations: {page: {levels: [{schedules: [primary]}]}}
";
        let all = BTreeSet::from(["anna"]);
        let mut it = OnCall::load("oncall.yml", text, &all).unwrap();
        assert_eq!(it.calendars().collect::<Vec<_>>(), [("primary", "https://calendar.example/private.ics")]);
        let at = Timestamp(1_894_104_000_000_000);
        assert_eq!(it.receivers("page", 0, at), [""; 0]);
        let event = |person: &str, from: &str, until: &str| {
            format!(
                "BEGIN:VEVENT\r\nUID:{person}\r\nSUMMARY:{person}\r\nDTSTART:{from}\r\nDTEND:{until}\r\nEND:VEVENT\r\n"
            )
        };
        let calendar = format!(
            "BEGIN:VCALENDAR\r\n{}{}END:VCALENDAR\r\n",
            event("anna", "20300107T090000Z", "20300114T090000Z"),
            event("zoe", "20300114T090000Z", "20300121T090000Z")
        );
        let remarks = it.read_calendar("primary", &calendar, &all, at).unwrap();
        assert!(matches!(&remarks[..], [only] if only.problem == "zoe cannot be told"), "{remarks:?}");
        assert_eq!(it.receivers("page", 0, at), ["anna"]);
        // What is none changes nothing.
        it.read_calendar("primary", "<html>", &all, at).unwrap_err();
        assert_eq!(it.receivers("page", 0, at), ["anna"]);
    }

    #[test]
    fn who_cannot_be_told_and_what_is_not_there_is_said_at_once() {
        let text = FILE.replace("[managers]", "[nobody]").replace("critical: page", "critical: other");
        let faults = OnCall::load("oncall.yml", &text, &BTreeSet::from(["anna"])).unwrap_err();
        let text = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        for part in ["ben cannot be told", "\"nobody\"", "\"other\""] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(OnCall::load("oncall.yml", "escalation: {}", &BTreeSet::new()).is_err());
        assert!(OnCall::load("oncall.yml", &"x".repeat(2 << 20), &BTreeSet::new()).is_err());
    }
}
