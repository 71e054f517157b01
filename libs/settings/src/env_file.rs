use crate::{Fault, Report};

/// Largest file that is read.
const LARGEST: usize = 1024 * 1024;

/// Reads a `.env` file: `NAME=value` lines, `export` allowed, quotes, comments. A name's last line wins.
///
/// # Errors
///
/// Every line that is none of these, by number and without its text.
pub fn read_env_file(text: &str) -> Result<Vec<(String, String)>, Report> {
    let mut variables = Vec::new();
    let mut report = Report::default();
    if text.len() > LARGEST {
        report.faults.push(fault("the file", "is larger than 1 MiB"));
        return Err(report);
    }
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match read_line(line) {
            Ok(variable) => variables.push(variable),
            Err(problem) => report.faults.push(fault(&format!("line {}", index + 1), problem)),
        }
    }
    if report.is_good() { Ok(variables) } else { Err(report) }
}

fn read_line(line: &str) -> Result<(String, String), &'static str> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=').ok_or("has no equals sign")?;
    let name = name.trim_end();
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err("has a name with other than letters, digits and underscores");
    }
    Ok((name.to_owned(), read_value(value.trim())?))
}

fn read_value(value: &str) -> Result<String, &'static str> {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            let (quoted, tail) = rest.split_once(quote).ok_or("has a quote that is never closed")?;
            let tail = tail.trim_start();
            if !tail.is_empty() && !tail.starts_with('#') {
                return Err("goes on after its closing quote");
            }
            return Ok(quoted.to_owned());
        }
    }
    // A `#` inside a value is part of it; only one after a space begins a comment.
    let end = value.find(" #").unwrap_or(value.len());
    let value = if value.starts_with('#') { "" } else { &value[..end] };
    Ok(value.trim_end().to_owned())
}

fn fault(place: &str, problem: &str) -> Fault {
    Fault {
        variable: place.into(),
        problem: problem.into(),
        expected: "NAME=value".into(),
        fix: "mend or remove the line".into(),
    }
}
