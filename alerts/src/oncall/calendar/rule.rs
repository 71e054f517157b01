//! Repetition: `FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;UNTIL=…`.

use jiff::Span;
use jiff::civil::{Date, DateTime};

use super::event::Moment;

/// How many days are counted for all `COUNT`s of a calendar.
pub(super) const BUDGET: u64 = 1_000_000;
const DAYS: [&str; 7] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

/// When an event happens again.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    weekly: bool,
    /// Days or weeks.
    interval: i64,
    /// Sunday is 0; none: every day, or that of the first.
    days: Vec<i8>,
    /// First day of the week.
    week_start: i8,
    /// The last day on which one may begin, and where it must begin by.
    until: Option<DateTime>,
}

impl Rule {
    /// Reads a rule of an event that begins at `start`; `local` gives the local time of an UNTIL.
    pub(super) fn read(
        text: &str,
        start: DateTime,
        local: &dyn Fn(&str) -> Result<Moment, String>,
        budget: &mut u64,
    ) -> Result<Self, String> {
        let mut rule = Self { weekly: false, interval: 1, days: Vec::new(), week_start: 1, until: None };
        let (mut frequency, mut count) = (None, None);
        for part in text.trim().split(';').filter(|part| !part.is_empty()) {
            let (key, value) =
                part.split_once('=').ok_or_else(|| format!("RRULE: {part:?} cannot be read"))?;
            let wrong = || format!("RRULE: {key}={value} cannot be read");
            match key.to_uppercase().as_str() {
                "FREQ" => frequency = Some(value.to_uppercase()),
                "INTERVAL" => {
                    let interval = value.parse().ok().filter(|it| (1..=10_000).contains(it));
                    rule.interval = interval.ok_or_else(wrong)?;
                }
                "COUNT" => count = Some(value.parse::<u64>().ok().filter(|it| *it > 0).ok_or_else(wrong)?),
                "UNTIL" => rule.until = Some(local(value)?.latest()),
                "BYDAY" => rule.days = value.split(',').map(day).collect::<Option<_>>().ok_or_else(wrong)?,
                "WKST" => rule.week_start = day(value).ok_or_else(wrong)?,
                _ => return Err(format!("RRULE: {key} is not supported")),
            }
        }
        rule.weekly = match frequency.as_deref() {
            Some("DAILY") => false,
            Some("WEEKLY") => true,
            other => {
                return Err(format!(
                    "RRULE: FREQ={} is not supported, only DAILY and WEEKLY",
                    other.unwrap_or("")
                ));
            }
        };
        if rule.weekly && rule.days.is_empty() {
            rule.days.push(start.date().weekday().to_sunday_zero_offset());
        }
        if let Some(count) = count {
            rule.until = Some(rule.nth(start, count, budget)?);
        }
        Ok(rule)
    }

    /// Where the last of `count` begins: a rule that counts becomes one that ends.
    fn nth(&self, start: DateTime, count: u64, budget: &mut u64) -> Result<DateTime, String> {
        let mut date = start.date();
        let mut found = 0;
        loop {
            *budget = budget.checked_sub(1).ok_or("RRULE: COUNT is too large; write UNTIL")?;
            found += u64::from(date == start.date() || self.is_on(date, start.date()));
            if found >= count {
                return Ok(date.to_datetime(start.time()));
            }
            date = date.tomorrow().map_err(|_| "RRULE: COUNT goes beyond the calendar")?;
        }
    }

    /// Every day from `first` to `last` on which an event that first happened on `start` happens again.
    pub(super) fn dates(&self, start: DateTime, first: Date, last: Date) -> impl Iterator<Item = Date> {
        let last = self.until.map_or(last, |until| until.date().min(last));
        let begin = first.max(start.date());
        begin.series(Span::new().days(1)).take_while(move |date| *date <= last).filter(move |date| {
            let is_in_time = self.until.is_none_or(|until| date.to_datetime(start.time()) <= until);
            // The first is there even when the rule would not make it.
            is_in_time && (*date == start.date() || self.is_on(*date, start.date()))
        })
    }

    fn is_on(&self, date: Date, start: Date) -> bool {
        let day = date.weekday().to_sunday_zero_offset();
        if !self.days.is_empty() && !self.days.contains(&day) {
            return false;
        }
        let distance = |from: Date, to: Date| {
            to.since((jiff::Unit::Day, from)).map_or(0, |span| i64::from(span.get_days()))
        };
        match self.weekly {
            false => distance(start, date) % self.interval == 0,
            true => {
                let into_week = |date: Date| {
                    i64::from((date.weekday().to_sunday_zero_offset() - self.week_start + 7) % 7)
                };
                let days = distance(start, date) + into_week(start) - into_week(date);
                days.div_euclid(7) % self.interval == 0
            }
        }
    }
}

/// A day of the week; `1MO`, the first Monday of a month, is none.
fn day(text: &str) -> Option<i8> {
    let at = DAYS.iter().position(|day| day.eq_ignore_ascii_case(text.trim()))?;
    i8::try_from(at).ok()
}
