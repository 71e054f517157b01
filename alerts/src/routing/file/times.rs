//! `time_intervals`, and `mute_time_intervals` as they were once called.

use jiff::tz::TimeZone;

use super::node::{Is, Node};
use super::reader::Reader;
use crate::routing::{Span, TimeInterval};

const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const KEYS: &[&str] = &["times", "weekdays", "days_of_month", "months", "years", "location"];

/// Reads the intervals of both sections.
pub(super) fn read(reader: &mut Reader<'_>, root: &Node) -> Vec<TimeInterval> {
    let mut intervals: Vec<TimeInterval> = Vec::new();
    for section in ["mute_time_intervals", "time_intervals"] {
        for (at, node) in reader.list(root.get(section), section).iter().enumerate() {
            let place = format!("{section}[{at}]");
            if !reader.keys(node, &place, &["name", "time_intervals"]) {
                continue;
            }
            let name = reader.text(node.get("name"), &format!("{place}.name"));
            if name.is_empty() {
                reader.fault(node.line, &place, "the interval has no name", "write name: …");
            } else if intervals.iter().any(|other| other.name == name) {
                let problem = format!("the time interval {name:?} is there twice");
                reader.fault(node.line, &place, problem, "give each its own name");
            }
            let list = reader.list(node.get("time_intervals"), &format!("{place}.time_intervals"));
            let spans = list
                .iter()
                .enumerate()
                .filter_map(|(at, node)| span(reader, node, &format!("{place}.time_intervals[{at}]")))
                .collect();
            intervals.push(TimeInterval { name, spans });
        }
    }
    intervals
}

fn span(reader: &mut Reader<'_>, node: &Node, place: &str) -> Option<Span> {
    if !reader.keys(node, place, KEYS) {
        return None;
    }
    let times = given(node, "times").map(|it| times(reader, it, &format!("{place}.times")));
    let mut ranges = |key: &str, member: Member| {
        given(node, key).map(|it| ranges(reader, it, &format!("{place}.{key}"), member))
    };
    let weekdays = ranges("weekdays", weekday).map(|it| it.into_iter().map(small).collect());
    let days_of_month = ranges("days_of_month", day).map(|it| it.into_iter().map(small).collect());
    let months = ranges("months", month);
    let years = ranges("years", year);
    let zone = zone(reader, node.get("location"), place)?;
    Some(Span { times, weekdays, days_of_month, months, years, zone })
}

fn given<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    node.get(key).filter(|node| !matches!(node.is, Is::Null))
}

fn zone(reader: &mut Reader<'_>, node: Option<&Node>, place: &str) -> Option<TimeZone> {
    let Some(node) = node else { return Some(TimeZone::UTC) };
    let name = reader.text(Some(node), &format!("{place}.location"));
    match name.as_str() {
        "" | "UTC" => Some(TimeZone::UTC),
        "Local" => Some(TimeZone::system()),
        name => TimeZone::get(name).ok().or_else(|| {
            let problem = format!("there is no time zone {name:?}");
            reader.fault(node.line, &format!("{place}.location"), problem, "write it like Europe/Berlin");
            None
        }),
    }
}

fn times(reader: &mut Reader<'_>, node: &Node, place: &str) -> Vec<(u16, u16)> {
    let mut times = Vec::new();
    for (at, node) in reader.list(Some(node), place).iter().enumerate() {
        let place = format!("{place}[{at}]");
        if !reader.keys(node, &place, &["start_time", "end_time"]) {
            continue;
        }
        let mut read = |key: &str| {
            let text = reader.text(node.get(key), &format!("{place}.{key}"));
            let minute = minute(&text);
            if minute.is_none() {
                let problem = format!("{key}: {text:?} is not a time of the day");
                reader.fault(node.line, &place, problem, "write it like '09:00', at most '24:00'");
            }
            minute
        };
        let (first, end) = (read("start_time"), read("end_time"));
        if let (Some(first), Some(end)) = (first, end) {
            if first >= end {
                let fix = "write two ranges for one over midnight: to '24:00', and from '00:00'";
                reader.fault(node.line, &place, "start_time is not before end_time", fix);
            }
            times.push((first, end));
        }
    }
    times
}

/// `HH:MM` as minutes of the day.
pub(crate) fn minute(text: &str) -> Option<u16> {
    let two = |text: &str| {
        (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<u16>().ok())
            .flatten()
    };
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    ((hours < 24 && minutes < 60) || (hours, minutes) == (24, 0)).then_some(hours * 60 + minutes)
}

/// What one end of a range is, or why it is none.
type Member = fn(&str) -> Result<i16, &'static str>;

fn ranges(reader: &mut Reader<'_>, node: &Node, place: &str, member: Member) -> Vec<(i16, i16)> {
    let mut ranges = Vec::new();
    for (at, node) in reader.list(Some(node), place).iter().enumerate() {
        let place = format!("{place}[{at}]");
        let text = reader.text(Some(node), &place).to_lowercase();
        let (first, last) = text.split_once(':').unwrap_or((&text, &text));
        match (member(first), member(last)) {
            (Ok(first), Ok(last)) if is_reversed(first, last) => {
                let problem = format!("{text:?} ends before it begins");
                reader.fault(node.line, &place, problem, "write the earlier one first");
            }
            (Ok(first), Ok(last)) => ranges.push((first, last)),
            (Err(fix), _) | (_, Err(fix)) => {
                reader.fault(node.line, &place, format!("{text:?} cannot be read"), fix);
            }
        }
    }
    ranges
}

/// Only where it is so in every month: negative days are counted from the end of the shortest.
fn is_reversed(first: i16, last: i16) -> bool {
    let from_start = |day: i16| if day < 0 { 28 + day } else { day };
    (first < 0 && last > 0) || from_start(first) > from_start(last)
}

fn weekday(text: &str) -> Result<i16, &'static str> {
    let at = WEEKDAYS.iter().position(|day| *day == text);
    at.and_then(|at| i16::try_from(at).ok()).ok_or("write days like monday or monday:friday")
}

/// `monday` or `monday:friday`; Sunday is 0, and the first is not after the last.
pub(crate) fn weekdays(text: &str) -> Option<(i8, i8)> {
    let text = text.to_lowercase();
    let (first, last) = text.split_once(':').unwrap_or((&text, &text));
    let (first, last) = small((weekday(first).ok()?, weekday(last).ok()?));
    (first <= last).then_some((first, last))
}

fn day(text: &str) -> Result<i16, &'static str> {
    let day = text.parse().ok().filter(|day: &i16| *day != 0 && (-31..=31).contains(day));
    day.ok_or("write days like 1, 1:5 or -3:-1, where -1 is the last of the month")
}

fn month(text: &str) -> Result<i16, &'static str> {
    let named = MONTHS.iter().position(|month| *month == text).and_then(|at| i16::try_from(at + 1).ok());
    let month = named.or_else(|| text.parse().ok()).filter(|month| (1..=12).contains(month));
    month.ok_or("write months like may, may:august or 1:3")
}

fn year(text: &str) -> Result<i16, &'static str> {
    text.parse().ok().filter(|year| (0..=9_999).contains(year)).ok_or("write years like 2030 or 2030:2032")
}

fn small((first, last): (i16, i16)) -> (i8, i8) {
    // Days of a week or a month: checked when they were read.
    (i8::try_from(first).unwrap_or(0), i8::try_from(last).unwrap_or(0))
}
