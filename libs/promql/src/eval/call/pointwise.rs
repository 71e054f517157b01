use super::super::number::{civil, day_and_second, is_leap};
use crate::plan::{DatePart, Pointwise};

/// The function itself.
pub(super) fn function(of: Pointwise) -> fn(f64) -> f64 {
    match of {
        Pointwise::Abs => f64::abs,
        Pointwise::Acos => f64::acos,
        Pointwise::Acosh => f64::acosh,
        Pointwise::Asin => f64::asin,
        Pointwise::Asinh => f64::asinh,
        Pointwise::Atan => f64::atan,
        Pointwise::Atanh => f64::atanh,
        Pointwise::Ceil => f64::ceil,
        Pointwise::Cos => f64::cos,
        Pointwise::Cosh => f64::cosh,
        Pointwise::Deg => |value| value * 180.0 / std::f64::consts::PI,
        Pointwise::Exp => f64::exp,
        Pointwise::Floor => f64::floor,
        Pointwise::Ln => f64::ln,
        Pointwise::Log10 => f64::log10,
        Pointwise::Log2 => f64::log2,
        Pointwise::Rad => |value| value * std::f64::consts::PI / 180.0,
        Pointwise::Sgn => sign,
        Pointwise::Sin => f64::sin,
        Pointwise::Sinh => f64::sinh,
        Pointwise::Sqrt => f64::sqrt,
        Pointwise::Tan => f64::tan,
        Pointwise::Tanh => f64::tanh,
    }
}

/// -1, 1, or the value itself if it is zero or NaN.
fn sign(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    }
}

/// A part of the date of a time in seconds since 1970.
pub(super) fn date(part: DatePart, seconds: i64) -> f64 {
    let (days, second) = day_and_second(seconds);
    let (year, month, day) = civil(days);
    let value = match part {
        DatePart::Minute => second / 60 % 60,
        DatePart::Hour => second / 3_600,
        // 1970-01-01 was a Thursday.
        DatePart::DayOfWeek => (days + 4).rem_euclid(7),
        DatePart::DayOfMonth => day,
        DatePart::DayOfYear => day_of_year(year, month, day),
        DatePart::DaysInMonth => days_in_month(year, month),
        DatePart::Month => month,
        DatePart::Year => year,
    };
    value as f64
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn day_of_year(year: i64, month: i64, day: i64) -> i64 {
    (1..month).map(|month| days_in_month(year, month)).sum::<i64>() + day
}
