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
}
