use std::time::Duration;

/// The longest span that may be written.
const MOST: Duration = Duration::from_secs(7 * 86_400);

/// Reads `500ms`, `15s`, `2m` or `1h`: a whole number above 0 and a unit.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let digits = text.find(|it: char| !it.is_ascii_digit()).filter(|at| (1..=9).contains(at))?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let span = match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number * 60),
        "h" => Duration::from_secs(number * 3600),
        _ => return None,
    };
    (!span.is_zero() && span <= MOST).then_some(span)
}

/// The longest span that Prometheus' way of writing may say here.
const LONGEST: Duration = Duration::from_secs(20 * 365 * 86_400);

/// Reads a span as Prometheus writes it: `15d`, `1h30m`, `500ms`; units from large to small, each once.
pub(crate) fn parse_long(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 7] = [
        ("y", 365 * 86_400_000),
        ("w", 7 * 86_400_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
        ("ms", 1),
    ];
    let (mut rest, mut sum_ms, mut units) = (text, 0_u64, UNITS.as_slice());
    while !rest.is_empty() {
        let digits = rest.find(|it: char| !it.is_ascii_digit()).filter(|at| (1..=12).contains(at))?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|it: char| it.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let at = units.iter().position(|(name, _)| *name == unit)?;
        let (_, ms) = units.get(at)?;
        sum_ms = sum_ms.checked_add(number.parse::<u64>().ok()?.checked_mul(*ms)?)?;
        (units, rest) = (units.get(at + 1..)?, after);
    }
    let span = Duration::from_millis(sum_ms);
    (!span.is_zero() && span <= LONGEST).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_whole_number_and_a_unit() {
        for (text, expected) in
            [("500ms", 500), ("15s", 15_000), ("2m", 120_000), ("1h", 3_600_000), ("168h", 604_800_000)]
        {
            assert_eq!(parse(text), Some(Duration::from_millis(expected)), "{text}");
        }
        for text in
            ["", "5", "s", "0s", "1.5s", "-1s", "5 s", "5S", "5d", "169h", "9999999999s", "soon", "٣s"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn prometheus_spans_have_several_units_in_their_order() {
        for (text, seconds) in
            [("15d", 1_296_000), ("1h30m", 5_400), ("1m", 60), ("2w", 1_209_600), ("1y", 31_536_000)]
        {
            assert_eq!(parse_long(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_long("1s500ms"), Some(Duration::from_millis(1500)));
        for text in ["", "0s", "1", "1m1h", "1h1h", "d", "99y", "1.5h", "-1s", "999999999999y", "1 h"] {
            assert_eq!(parse_long(text), None, "{text}");
        }
    }
}
