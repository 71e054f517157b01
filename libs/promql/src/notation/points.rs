use super::{MAX_POINTS, MAX_TEXT, NotationError, Point};

/// Reads points: `1 2 _ 3x4 stale 0+10x5 NaN -Inf`.
///
/// `3x4` stands for five points, `0+10x5` for six, `_x3` for three, as in Prometheus.
///
/// # Errors
/// What is wrong with the text, or that it is too long or stands for too many points.
pub fn points(text: &str) -> Result<Vec<Point>, NotationError> {
    if text.len() > MAX_TEXT {
        return Err(NotationError::new(format!("the points are longer than {MAX_TEXT} bytes")));
    }
    let mut points = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = item_end(rest)?;
        let (item, after) = rest.split_at(end);
        add(item, &mut points)?;
        rest = after.trim_start();
    }
    Ok(points)
}

/// Where the item at the start of `text` ends: at a space outside of `{{…}}`.
fn item_end(text: &str) -> Result<usize, NotationError> {
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let next = rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len());
        let Some(open) = rest.find("{{").filter(|open| *open < next) else { return Ok(at + next) };
        let inner = rest.get(open..).unwrap_or_default();
        let close =
            inner.find("}}").ok_or_else(|| NotationError::new("a histogram does not end with `}}`"))?;
        at += open + close + 2;
    }
    Ok(text.len())
}

fn add(item: &str, points: &mut Vec<Point>) -> Result<(), NotationError> {
    if item.starts_with("{{") {
        let times = item.rsplit_once("}}").map(|(_, after)| after).unwrap_or_default();
        let times = if times.is_empty() { 1 } else { repeats(item, times)? + 1 };
        return fill(points, times, || Point::Histogram);
    }
    if let Some(times) = item.strip_prefix('_') {
        let times = if times.is_empty() { 1 } else { repeats(item, times)? };
        return fill(points, times, || Point::Gap);
    }
    if item == "stale" {
        return fill(points, 1, || Point::Stale);
    }
    let Some((first, times)) = split_times(item) else {
        let value = number(item)?;
        return fill(points, 1, || Point::Value(value));
    };
    let times = repeats(item, times)? + 1;
    if first == "stale" {
        return fill(points, times, || Point::Stale);
    }
    let (mut value, growth) = match sign_inside(first).and_then(|at| first.split_at_checked(at)) {
        Some((value, growth)) => (number(value)?, number(growth)?),
        None => (number(first)?, 0.0),
    };
    fill(points, times, || {
        let point = Point::Value(value);
        value += growth;
        point
    })
}

/// What is before and after the `x` that repeats; that of `0x1f` does not.
fn split_times(item: &str) -> Option<(&str, &str)> {
    let (first, times) = item.rsplit_once('x')?;
    let hexadecimal = matches!(first.trim_start_matches(['+', '-']), "0");
    (!hexadecimal || times.chars().all(|c| c.is_ascii_digit())).then_some((first, times))
}

/// Where the growth of `0+10` starts; the signs of `-1` and of `1e-5` are none.
fn sign_inside(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (1..bytes.len()).find(|at| {
        let before = bytes.get(at - 1).copied().unwrap_or_default();
        let exponent = matches!(before, b'e' | b'E') && !text.contains("0x");
        matches!(bytes.get(*at), Some(b'+' | b'-')) && !exponent
    })
}

fn repeats(item: &str, times: &str) -> Result<usize, NotationError> {
    let digits = times.strip_prefix('x').unwrap_or(times);
    let times = digits.parse().ok().filter(|times| *times < MAX_POINTS);
    times.ok_or_else(|| {
        NotationError::new(format!("{item:?} has no number of repeats below {MAX_POINTS} after its `x`"))
    })
}

fn number(text: &str) -> Result<f64, NotationError> {
    let wrong = || NotationError::new(format!("{text:?} is no number, `_`, `stale`, `axN` or `a+bxN`"));
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => f64::from(u32::from_str_radix(digits, 16).map_err(|_| wrong())?),
        None if digits.starts_with(['+', '-']) => return Err(wrong()),
        None => digits.parse::<f64>().map_err(|_| wrong())?,
    };
    Ok(if negative { -value } else { value })
}

fn fill(points: &mut Vec<Point>, times: usize, mut next: impl FnMut() -> Point) -> Result<(), NotationError> {
    if points.len() + times > MAX_POINTS {
        return Err(NotationError::new(format!("the text stands for more than {MAX_POINTS} points")));
    }
    points.extend(std::iter::repeat_with(&mut next).take(times));
    Ok(())
}
