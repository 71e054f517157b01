//! Reads test files.

use ops_promql::notation::{self, SeriesLine};

use crate::expect::{Annotation, Expected, Match};

/// What a test file asks for.
pub(crate) enum Command {
    Clear,
    Load { step_ms: i64, with_nhcb: bool, series: Vec<SeriesLine> },
    Eval(Box<Eval>),
}

/// An expression and what is expected of it.
pub(crate) struct Eval {
    pub(crate) line: usize,
    pub(crate) text: String,
    pub(crate) when: When,
    pub(crate) expected: Expected,
}

#[derive(Clone, Copy)]
pub(crate) enum When {
    At(i64),
    Range(i64, i64, i64),
}

pub(crate) fn parse(text: &str) -> Vec<Command> {
    let lines = text.lines().map(str::trim).map(|line| if line.starts_with('#') { "" } else { line });
    let mut lines = lines.enumerate().peekable();
    let mut commands = Vec::new();
    while let Some((at, line)) = lines.next() {
        if line.is_empty() {
            continue;
        }
        if line == "clear" {
            commands.push(Command::Clear);
            continue;
        }
        let mut body = Vec::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.is_empty()) {
            body.push(line);
        }
        commands.push(command(at + 1, line, &body));
    }
    commands
}

fn command(at: usize, line: &str, body: &[&str]) -> Command {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    if let Some(suffix) = word.strip_prefix("load") {
        let series = body
            .iter()
            .map(|line| notation::series(line).unwrap_or_else(|error| panic!("{at}: {line}: {error}")));
        let (step_ms, with_nhcb) = (duration(rest.trim()), suffix == "_with_nhcb");
        return Command::Load { step_ms, with_nhcb, series: series.collect() };
    }
    let legacy = word.strip_prefix("eval").unwrap_or_else(|| panic!("{at}: unknown command {word}"));
    let (when, text) = when(rest.trim());
    let mut expected = Expected::default();
    match legacy {
        "_fail" => expected.fail = Some(Match::Any),
        "_warn" => expected.warnings.push(Match::Any),
        "_info" => expected.infos.push(Match::Any),
        "_ordered" => expected.ordered = true,
        _ => {}
    }
    body.iter().for_each(|line| expectation(line, &mut expected));
    Command::Eval(Box::new(Eval { line: at, text: text.to_owned(), when, expected }))
}

/// `instant at 5m expr` or `range from 0 to 1h step 5m expr`.
fn when(text: &str) -> (When, &str) {
    let word = |text: &'_ str| -> (String, usize) {
        let start = text.len() - text.trim_start().len();
        let end = text.trim_start().find(char::is_whitespace).map_or(text.len(), |end| start + end);
        (text[start..end].to_owned(), end)
    };
    let mut rest = text;
    let mut next = || {
        let (word, end) = word(rest);
        rest = &rest[end..];
        word
    };
    if next() == "instant" {
        assert_eq!(next(), "at");
        let at = duration(&next());
        return (When::At(at), rest.trim());
    }
    let mut after = |wanted: &str| {
        assert_eq!(next(), wanted);
        duration(&next())
    };
    let when = When::Range(after("from"), after("to"), after("step"));
    (when, rest.trim())
}

fn expectation(line: &str, expected: &mut Expected) {
    if let Some(rest) = line.strip_prefix("expected_fail_message ") {
        expected.fail = Some(Match::Exactly(rest.trim().to_owned()));
    } else if let Some(rest) = line.strip_prefix("expected_fail_regexp ") {
        expected.fail = Some(Match::regex(rest.trim()));
    } else if let Some(rest) = line.strip_prefix("expect ") {
        expect(rest.trim(), expected);
    } else if let Ok(value) = scalar(line) {
        expected.scalar = Some(value);
    } else {
        let series = notation::series(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        expected.series.push(series);
    }
}

fn expect(text: &str, expected: &mut Expected) {
    if let Some(rest) = text.strip_prefix("string ") {
        let quoted = rest.trim();
        expected.string = Some(quoted[1..quoted.len() - 1].to_owned());
        return;
    }
    if let Some(rest) = text.strip_prefix("range vector ") {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let [_, from, _, _, _, step] = words[..] else { panic!("{text}") };
        expected.range_vector = Some((duration(from), duration(step)));
        return;
    }
    let (kind, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let how = || match rest.trim().split_once(':') {
        None => Match::Any,
        Some(("msg", text)) => Match::Exactly(Annotation::without_position(text.trim())),
        Some(("regex", text)) => Match::regex(&Annotation::pattern_without_position(text.trim())),
        Some(_) => panic!("{text}"),
    };
    match kind {
        "fail" => expected.fail = Some(how()),
        "warn" => expected.warnings.push(how()),
        "info" => expected.infos.push(how()),
        "no_warn" => expected.no_warnings = true,
        "no_info" => expected.no_infos = true,
        "ordered" => expected.ordered = true,
        _ => panic!("{text}"),
    }
}

fn scalar(text: &str) -> Result<f64, std::num::ParseFloatError> {
    match text.strip_prefix("0x") {
        Some(digits) => Ok(i64::from_str_radix(digits, 16).unwrap() as f64),
        None => text.parse(),
    }
}

/// `1h30m`, `-5m`, or seconds.
fn duration(text: &str) -> i64 {
    if let Some(rest) = text.strip_prefix('-') {
        return -duration(rest);
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds * 1_000.0).round() as i64;
    }
    let (mut total, mut rest) = (0, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or_else(|| panic!("{text}"));
        let number: i64 = rest[..digits].parse().unwrap_or_else(|_| panic!("{text:?}"));
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 7 * 86_400_000,
            "y" => 365 * 86_400_000,
            _ => panic!("{text}"),
        };
        total += number * unit;
        rest = &rest[end..];
    }
    total
}
