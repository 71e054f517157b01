use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SpanError {
    #[error("has no unit")]
    NoUnit,
    #[error("has an unknown unit")]
    UnknownUnit,
    #[error("does not begin with a whole number")]
    NoNumber,
    #[error("is zero")]
    Zero,
    #[error("is longer than 100 years")]
    TooLong,
}

const LONGEST_MS: u64 = 100 * 365 * 24 * 60 * 60 * 1_000;

/// Reads a duration such as `15m` or `7d`. A bare number is refused: programs disagree on its unit.
pub(crate) fn parse(raw: &str) -> Result<Duration, SpanError> {
    let split = raw.find(|c: char| !c.is_ascii_digit()).ok_or(SpanError::NoUnit)?;
    let (digits, unit) = raw.split_at(split);
    if digits.is_empty() {
        return Err(SpanError::NoNumber);
    }
    let unit_ms: u64 = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 7 * 86_400_000,
        _ => return Err(SpanError::UnknownUnit),
    };
    let millis = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit_ms));
    match millis {
        Some(0) => Err(SpanError::Zero),
        Some(millis) if millis <= LONGEST_MS => Ok(Duration::from_millis(millis)),
        _ => Err(SpanError::TooLong),
    }
}
