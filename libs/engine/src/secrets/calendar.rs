//! Dates as people read them.

use ops_contract::Timestamp;

const DAY: i64 = 86_400_000_000;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `3 May 2026`, UTC.
pub(super) fn date(at: Timestamp) -> String {
    let (mut year, mut day) = (1970, at.0.div_euclid(DAY));
    // 400 years always have the same number of days; within them a count of years is short.
    year += 400 * day.div_euclid(146_097);
    day = day.rem_euclid(146_097);
    while day >= days_of(year) {
        day -= days_of(year);
        year += 1;
    }
    for (month, name) in (1..).zip(MONTHS) {
        let length = days_of_month(year, month);
        if day < length {
            return format!("{} {name} {year}", day + 1);
        }
        day -= length;
    }
    year.to_string()
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: i64, month: u8) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_and_never_panic() {
        for (seconds, told) in [
            (0, "1 January 1970"),
            (-1, "31 December 1969"),
            (951_782_400, "29 February 2000"),
            (951_868_800, "1 March 2000"),
            (1_777_766_400, "3 May 2026"),
            (4_107_542_400, "1 March 2100"),
            (4_107_456_000, "28 February 2100"),
        ] {
            assert_eq!(date(Timestamp(seconds * 1_000_000)), told);
        }
        assert!(date(Timestamp(i64::MAX)).ends_with("294247"));
        assert!(date(Timestamp(i64::MIN)).contains('-'));
    }
}
