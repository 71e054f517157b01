/// The powers of ten that a double holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// What Prometheus makes of `NaN`, so that it is no mark of staleness.
const NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0001);

/// The number of a token, as Go's `ParseFloat` reads it, without hexadecimal forms and underscores.
pub(super) fn value(token: &[u8]) -> Option<f64> {
    fast(token).or_else(|| slow(token))
}

/// Plain digits with at most one point: exact, as long as they fit into 53 bits.
#[inline]
fn fast(token: &[u8]) -> Option<f64> {
    let (negative, digits) = match token {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    // 15 digits are always exact.
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    let mut mantissa = 0_u64;
    let mut fraction = None;
    for (at, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa * 10 + u64::from(digit);
        } else if *byte == b'.' && fraction.is_none() {
            fraction = Some(digits.len() - 1 - at);
        } else {
            return None;
        }
    }
    let all = digits.len() - usize::from(fraction.is_some());
    if all == 0 || all > 15 {
        return None;
    }
    let number = mantissa as f64;
    let number = match fraction {
        None | Some(0) => number,
        Some(places) => number / TENS.get(places)?,
    };
    Some(if negative { -number } else { number })
}

#[cold]
fn slow(token: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(token).ok()?;
    let bare = text.strip_prefix(['+', '-']).unwrap_or(text);
    if text.eq_ignore_ascii_case("nan") {
        return Some(NAN);
    }
    if bare.eq_ignore_ascii_case("inf") || bare.eq_ignore_ascii_case("infinity") {
        return Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    // `+nan` is none, and what is too large for a double is an error, not infinity.
    text.parse::<f64>().ok().filter(|it| it.is_finite())
}

/// Milliseconds of a time in the text format.
pub(super) fn milliseconds(token: &[u8]) -> Option<i64> {
    std::str::from_utf8(token).ok()?.parse().ok()
}

/// Milliseconds of a time in OpenMetrics, which has seconds.
pub(super) fn seconds(token: &[u8]) -> Option<i64> {
    let ms = value(token)? * 1000.0;
    (ms.is_finite() && ms.abs() < 9.2e18).then_some(ms as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("0", 0.0),
            ("-0", -0.0),
            ("1", 1.0),
            ("+1", 1.0),
            ("1.", 1.0),
            (".5", 0.5),
            ("-12.345", -12.345),
            ("1e3", 1e3),
            ("1.7976931348623157e308", f64::MAX),
            ("5e-324", 5e-324),
            ("123456789012345", 123_456_789_012_345.0),
            ("0.123456789012345", 0.123_456_789_012_345),
            ("9007199254740993", 9_007_199_254_740_992.0),
            ("+Inf", f64::INFINITY),
            ("-inf", f64::NEG_INFINITY),
            ("Infinity", f64::INFINITY),
        ] {
            let found = value(text.as_bytes()).map(f64::to_bits);
            assert_eq!(found, Some(expected.to_bits()), "{text}");
        }
        assert_eq!(value(b"NaN").map(f64::to_bits), Some(0x7ff8_0000_0000_0001));
        for text in ["", "-", ".", "1e400", "0x1p4", "1_000", "+nan", "1.2.3", "1,5", "infinite", "--1", "1e"]
        {
            assert_eq!(value(text.as_bytes()), None, "{text}");
        }
    }

    /// The short way gives the same bits as the long one.
    #[test]
    fn the_short_way_is_exact() {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..200_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = (seed >> 14) % 1_000_000_000_000_000;
            let places = seed as usize % 16;
            let mut text = format!("{number:015}");
            if places < 15 {
                text.insert(places, '.');
            }
            assert_eq!(
                fast(text.as_bytes()).map(f64::to_bits),
                text.parse().ok().map(f64::to_bits),
                "{text}"
            );
        }
    }

    #[test]
    fn times_are_milliseconds_or_seconds() {
        assert_eq!(milliseconds(b"-1700000000123"), Some(-1_700_000_000_123));
        assert_eq!(milliseconds(b"1.5"), None);
        assert_eq!(seconds(b"1700000000.5"), Some(1_700_000_000_500));
        assert_eq!((seconds(b"NaN"), seconds(b"+Inf"), seconds(b"1e300")), (None, None, None));
    }
}
