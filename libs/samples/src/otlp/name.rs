//! Names as Prometheus writes those of OpenTelemetry.

const UNITS: &[(&str, &str)] = &[
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tibibytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("1", ""),
    ("%", "percent"),
];

const PER: &[(&str, &str)] = &[
    ("s", "second"),
    ("m", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("y", "year"),
];

/// The name of a metric, with its unit and, for a counter, `_total` at the end.
pub(super) fn metric(name: &str, unit: &str, counter: bool, gauge: bool) -> String {
    let mut tokens = tokens(name);
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let main = clean(main.trim(), UNITS);
    if !main.is_empty() && !tokens.contains(&main) {
        tokens.push(main);
    }
    let per = clean(per.trim(), PER);
    if !per.is_empty() && !tokens.contains(&per) {
        tokens.extend(["per".to_owned(), per]);
    }
    if counter {
        tokens.retain(|it| it != "total");
        tokens.push("total".to_owned());
    }
    if gauge && unit.trim() == "1" {
        tokens.retain(|it| it != "ratio");
        tokens.push("ratio".to_owned());
    }
    let name = tokens.join("_");
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// The unit in words; empty when there is none.
pub(super) fn unit(unit: &str) -> String {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let (main, per) = (clean(main.trim(), UNITS), clean(per.trim(), PER));
    match (main.is_empty(), per.is_empty()) {
        (_, true) => main,
        (true, false) => format!("per_{per}"),
        (false, false) => format!("{main}_per_{per}"),
    }
}

/// A unit in words; what stands in braces is no unit but a remark.
fn clean(unit: &str, words: &[(&str, &str)]) -> String {
    if unit.contains(['{', '}']) {
        return String::new();
    }
    let word = words.iter().find(|(short, _)| *short == unit).map_or(unit, |(_, word)| word);
    tokens(word).join("_")
}

fn tokens(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == ':'));
    parts.filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

/// The name of a label.
pub(super) fn label(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    match plain.as_bytes() {
        [first, ..] if first.is_ascii_digit() => format!("key_{plain}"),
        [b'_', second, ..] if *second != b'_' => format!("key{plain}"),
        _ => plain,
    }
}
