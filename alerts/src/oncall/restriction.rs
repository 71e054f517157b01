//! Parts of each day or week, over midnight too.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::RestrictionSettings;
use crate::routing::{minute, weekdays};

/// Minutes of a day.
const DAY: u16 = 1_440;

/// A part of each day or week.
#[derive(Clone, Debug)]
pub(super) struct Restriction {
    /// First and last day on which it begins, Sunday is 0.
    weekdays: Vec<(i8, i8)>,
    /// Minute of the day.
    from: u16,
    /// Minute of the same day, or of the next when it is not after `from`.
    until: u16,
}

impl Restriction {
    /// What is written, or which value cannot be read.
    pub(super) fn read(settings: &RestrictionSettings) -> Result<Self, String> {
        let time = |text: &str, empty: u16| match text {
            "" => Ok(empty),
            text => minute(text).ok_or_else(|| format!("{text:?} is not a time of the day")),
        };
        let days = settings
            .weekdays
            .iter()
            .map(|text| weekdays(text).ok_or_else(|| format!("{text:?} is not a weekday")));
        Ok(Self {
            weekdays: days.collect::<Result<_, _>>()?,
            from: time(&settings.from, 0)?,
            until: time(&settings.until, DAY)?,
        })
    }

    /// Whether the moment lies in it.
    pub(super) fn contains(&self, local: &Zoned) -> bool {
        let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or(0);
        let today = local.weekday().to_sunday_zero_offset();
        let begins =
            |day: i8| self.weekdays.is_empty() || self.weekdays.iter().any(|(a, b)| (*a..=*b).contains(&day));
        match self.from < self.until {
            true => begins(today) && (self.from..self.until).contains(&minute),
            false => {
                (begins(today) && minute >= self.from) || (begins((today + 6) % 7) && minute < self.until)
            }
        }
    }

    /// The moments of a day at which it may begin or end.
    pub(super) fn changes(&self, date: Date, zone: &TimeZone) -> impl Iterator<Item = Timestamp> {
        [self.from, self.until].into_iter().filter_map(move |minute| at_minute(date, minute, zone))
    }
}

/// A minute of a day; what the change to summer time skips is the moment after it.
pub(super) fn at_minute(date: Date, minute: u16, zone: &TimeZone) -> Option<Timestamp> {
    let (date, minute) = if minute >= DAY { (date.tomorrow().ok()?, minute - DAY) } else { (date, minute) };
    let time = Time::new(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0).ok()?;
    zone.to_timestamp(date.to_datetime(time)).ok()
}
