//! An on-call calendar (RFC 5545): each event is a shift, its SUMMARY the person.
//!
//! Read are DTSTART, DTEND, DURATION, TZID, RRULE (daily and weekly), EXDATE, RECURRENCE-ID and STATUS. An event that needs more
//! than that is left out with a remark: a shift that is wrong is worse than one that is known to be missing.

mod event;
mod lines;
mod rule;

use jiff::tz::TimeZone;
use ops_contract::Timestamp;

use self::event::Event;
use self::lines::Line;
use super::{Person, instant, timestamp};
use crate::rules::Fault;

/// Largest calendar in bytes.
const LARGEST: usize = 1 << 20;
/// Most events.
const MOST: usize = 10_000;

/// Who is on call by a calendar.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    events: Vec<Event>,
}

impl Calendar {
    /// Reads a calendar. Times without a zone are meant in the calendar's own (X-WR-TIMEZONE), else in `zone`. With it come
    /// remarks on what is left out.
    ///
    /// # Errors
    /// That it is none, or too large.
    pub fn parse(file: &str, text: &str, zone: &TimeZone) -> Result<(Self, Vec<Fault>), Vec<Fault>> {
        let note = |line: Option<u64>, place: String, problem: String, fix: &str| Fault {
            file: file.to_owned(),
            line,
            place,
            problem,
            fix: fix.to_owned(),
        };
        if text.len() > LARGEST {
            let problem = format!("the calendar is larger than {LARGEST} bytes");
            return Err(vec![note(None, String::new(), problem, "export fewer years")]);
        }
        let lines = lines::unfold(text);
        if !lines.first().is_some_and(|line| line.is("BEGIN", "VCALENDAR")) {
            let problem = "this is no calendar".to_owned();
            return Err(vec![note(Some(1), String::new(), problem, "it begins with BEGIN:VCALENDAR")]);
        }
        let own = lines
            .iter()
            .find(|line| line.name == "X-WR-TIMEZONE")
            .and_then(|it| TimeZone::get(&it.value).ok());
        let zone = own.unwrap_or_else(|| zone.clone());
        let blocks = blocks(&lines);
        if blocks.len() > MOST {
            let problem = format!("there are more than {MOST} events");
            return Err(vec![note(None, String::new(), problem, "export fewer years")]);
        }
        let mut remarks = Vec::new();
        let mut events = Vec::new();
        let mut budget = rule::BUDGET;
        for (number, block) in blocks {
            match Event::read(block, &zone, &mut budget) {
                Ok(event) => events.extend(event),
                Err(problem) => {
                    let summary = block.iter().find(|line| line.name == "SUMMARY").map_or("", |it| &it.value);
                    let place = format!("event {:?}", summary.chars().take(60).collect::<String>());
                    remarks.push(note(Some(number), place, format!("{problem}; the event is left out"), ""));
                }
            }
        }
        event::replace(&mut events);
        Ok((Self { events }, remarks))
    }

    /// Who is on call at `at`: everybody whose event lies there, in the order of names.
    #[must_use]
    pub fn on_call(&self, at: Timestamp) -> Vec<Person> {
        let now = instant(at);
        let mut people: Vec<Person> = self
            .events
            .iter()
            .filter(|event| event.contains(now))
            .map(|event| event.person.clone())
            .collect();
        people.sort();
        people.dedup();
        people
    }

    /// How many events it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether it has no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Begin, end and person of every event that lies between two moments, wholly or in part.
    pub(super) fn spans(&self, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Timestamp, &Person)> {
        let (from, until) = (instant(from), instant(until));
        let spans = self
            .events
            .iter()
            .flat_map(|event| event.between(from, until).map(move |it| (it, &event.person)));
        spans.map(|((begin, end), person)| (timestamp(begin), timestamp(end), person)).collect()
    }
}

/// The lines of each event, with the number of its first one.
fn blocks(lines: &[Line]) -> Vec<(u64, &[Line])> {
    let mut blocks = Vec::new();
    let mut begin = None;
    for (at, line) in lines.iter().enumerate() {
        if line.is("BEGIN", "VEVENT") {
            begin = Some(at + 1);
        } else if line.is("END", "VEVENT")
            && let Some(begin) = begin.take()
        {
            blocks.extend(
                lines.get(begin..at).map(|block| (lines.get(begin - 1).map_or(0, |it| it.number), block)),
            );
        }
    }
    blocks
}

#[cfg(test)]
mod tests;
