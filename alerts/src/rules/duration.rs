//! Durations as Prometheus writes them: `1d2h30m`, units from large to small, each at most once.

const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Milliseconds of a duration; `None` when it is none.
pub(crate) fn parse(text: &str) -> Option<i64> {
    if text == "0" {
        return Some(0);
    }
    let mut rest = text;
    let mut sum = 0_i64;
    let mut next = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at_checked(letters)?;
        let at = UNITS.iter().position(|(name, _)| *name == unit).filter(|at| *at >= next)?;
        let (_, ms) = UNITS.get(at)?;
        sum = sum.checked_add(number.parse::<i64>().ok()?.checked_mul(*ms)?)?;
        next = at + 1;
        rest = after;
    }
    // As Prometheus, whose durations are 64 bits of nanoseconds.
    (!text.is_empty() && sum <= i64::MAX / 1_000_000).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn durations_are_prometheus() {
        for (text, ms) in [
            ("5m", Some(300_000)),
            ("1d2h", Some(93_600_000)),
            ("1500ms", Some(1_500)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("", None),
            ("5", None),
            ("m", None),
            ("1m1h", None),
            ("1m1m", None),
            ("-1m", None),
            ("1.5h", None),
            ("99999999999999y", None),
            ("293y", None),
        ] {
            assert_eq!(parse(text), ms, "{text:?}");
        }
    }
}
