//! Named intervals of time, in which routes are silent or alone speak: Alertmanager's rules, in any time zone.

use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, Zoned};
use ops_contract::Timestamp;

/// A named interval: what lies in any of its spans.
#[derive(Clone, Debug)]
pub struct TimeInterval {
    /// Its name.
    pub name: String,
    /// Its parts.
    pub spans: Vec<Span>,
}

/// All conditions must hold; one that is `None` always does, and one that is empty never.
#[derive(Clone, Debug)]
pub struct Span {
    /// Minutes of the day: the first, and the one after the last, at most 1,440.
    pub times: Option<Vec<(u16, u16)>>,
    /// First and last day, Sunday is 0.
    pub weekdays: Option<Vec<(i8, i8)>>,
    /// First and last day, negative ones from the month's end, where -1 is its last.
    pub days_of_month: Option<Vec<(i8, i8)>>,
    /// First and last month, January is 1.
    pub months: Option<Vec<(i16, i16)>>,
    /// First and last year.
    pub years: Option<Vec<(i16, i16)>>,
    /// Where these times are meant.
    pub zone: TimeZone,
}

impl Default for Span {
    fn default() -> Self {
        Self {
            times: None,
            weekdays: None,
            days_of_month: None,
            months: None,
            years: None,
            zone: TimeZone::UTC,
        }
    }
}

impl TimeInterval {
    /// Whether `at` lies in it.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        Instant::from_microsecond(at.0).is_ok_and(|at| self.spans.iter().any(|span| span.contains(at)))
    }
}

impl Span {
    fn contains(&self, at: Instant) -> bool {
        let local = at.to_zoned(self.zone.clone());
        let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or(0);
        let weekday = local.weekday().to_sunday_zero_offset();
        any(self.times.as_deref(), |(first, end)| (first..end).contains(&minute))
            && any(self.weekdays.as_deref(), |(first, last)| (first..=last).contains(&weekday))
            && any(self.days_of_month.as_deref(), |range| is_day(range, &local))
            && any(self.months.as_deref(), |(first, last)| (first..=last).contains(&i16::from(local.month())))
            && any(self.years.as_deref(), |(first, last)| (first..=last).contains(&local.year()))
    }
}

fn any<T: Copy>(ranges: Option<&[T]>, holds: impl Fn(T) -> bool) -> bool {
    ranges.is_none_or(|ranges| ranges.iter().copied().any(holds))
}

fn is_day((first, last): (i8, i8), local: &Zoned) -> bool {
    let days = local.days_in_month();
    let from_start = |day: i8| if day < 0 { days + day + 1 } else { day };
    // One that begins after the month's end is not in this month; one that ends there is cut by the month itself.
    (from_start(first)..=from_start(last)).contains(&local.day())
}

#[cfg(test)]
mod tests;
