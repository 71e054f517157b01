//! Go's way of saying how a time is written: by how a certain moment, Monday 2 January 2006 15:04:05 -0700, would be.

use jiff::Zoned;

/// Parts of that moment, and how each is written; of two that fit the first counts.
const PARTS: [(&str, &str); 36] = [
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("MST", "%Z"),
    ("2006", "%Y"),
    ("01", "%m"),
    ("002", "%j"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("1", "%-m"),
    ("_2006", "_%Y"),
    ("_2", "%e"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("-07:00", "%:z"),
    ("-0700", "%z"),
    ("-07", "%z"),
    ("Z07:00", "%:z"),
    ("Z0700", "%z"),
    (".000000000", "."),
    (".999999999", "."),
    (".000000", "."),
    (".999999", "."),
    (".000", "."),
    (".999", "."),
    (".0", "."),
    (".9", "."),
];

/// The time as `layout` says.
pub(super) fn formatted(at: &Zoned, layout: &str) -> String {
    let mut out = String::with_capacity(layout.len());
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        let (written, length) = part(at, rest).unwrap_or_else(|| (first.to_string(), first.len_utf8()));
        out.push_str(&written);
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// How the part is written that `rest` begins with, and the length of what stands for it.
fn part(at: &Zoned, rest: &str) -> Option<(String, usize)> {
    let (layout, format) = PARTS.iter().find(|(layout, _)| {
        // "Jan" is not the beginning of "Janet".
        rest.strip_prefix(*layout).is_some_and(|after| {
            !(matches!(*layout, "Jan" | "Mon") && after.starts_with(|c: char| c.is_ascii_lowercase()))
        })
    })?;
    let zero = at.offset().seconds() == 0;
    let written = match *layout {
        "Z07:00" | "Z0700" if zero => "Z".to_owned(),
        "-07" => at.strftime("%z").to_string().chars().take(3).collect(),
        fraction if fraction.starts_with('.') => return sub_second(at, rest),
        _ => at.strftime(format).to_string(),
    };
    Some((written, layout.len()))
}

/// `.000` with so many digits; `.999` without zeros at its end, and without the point when nothing is left.
fn sub_second(at: &Zoned, rest: &str) -> Option<(String, usize)> {
    let digit = rest.chars().nth(1)?;
    let digits = rest.chars().skip(1).take_while(|c| *c == digit).count();
    let after = rest.chars().nth(1 + digits);
    if digits > 9 || after.is_some_and(|c| c.is_ascii_digit()) {
        return None;
    }
    let nanos = format!("{:09}", at.subsec_nanosecond());
    let kept = nanos.get(..digits)?;
    let kept = if digit == '9' { kept.trim_end_matches('0') } else { kept };
    Some((if kept.is_empty() { String::new() } else { format!(".{kept}") }, 1 + digits))
}
