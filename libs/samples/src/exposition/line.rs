use std::borrow::Cow;

use memchr::memchr;

use super::series::{braces, comment_name, end, is_blank, labels, pairs, skip_blank, text, unescape};
use super::{Format, Pairs, ParseError, Reason, number, shown};

const TYPES: [&str; 9] =
    ["counter", "gauge", "histogram", "summary", "untyped", "unknown", "gaugehistogram", "stateset", "info"];

/// Reads an answer line by line. After an error it says nothing more.
#[derive(Clone, Debug)]
pub struct Parser<'a> {
    rest: &'a [u8],
    format: Format,
    line: usize,
    ended: bool,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry<'a> {
    /// A sample.
    Series(Series<'a>),
    /// What a metric means.
    Help(Cow<'a, str>, Cow<'a, str>),
    /// What a metric is.
    Type(Cow<'a, str>, &'a str),
    /// In which unit a metric is.
    Unit(Cow<'a, str>, &'a str),
}

/// A sample as it stands in the answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Series<'a> {
    /// The text of name and labels. Whether they are good is said by [`Series::pairs`].
    pub raw: &'a [u8],
    /// Whether it is the text that was expected.
    pub expected: bool,
    /// The value.
    pub value: f64,
    /// Its time in milliseconds since 1970-01-01 UTC, if it is told.
    pub at_ms: Option<i64>,
}

impl<'a> Series<'a> {
    /// Reads the text for its labels.
    ///
    /// # Errors
    /// A text that is no name with labels.
    pub fn pairs(&self) -> Result<Pairs<'a>, Reason> {
        pairs(self.raw)
    }
}

impl<'a> Parser<'a> {
    /// Reads `body`, the whole answer.
    #[must_use]
    pub fn new(body: &'a [u8], format: Format) -> Self {
        Self { rest: body, format, line: 0, ended: false }
    }

    /// The line of the last entry, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The next entry. If the next line begins with `expected`, the text of a series that was good before, it is taken
    /// for that series without looking at it closer.
    #[inline]
    pub fn next_expecting(&mut self, expected: &[u8]) -> Option<Result<Entry<'a>, ParseError>> {
        if self.ended {
            return None;
        }
        let entry = match self.expected(expected) {
            Some(series) => self.sample(series, true).map(Some),
            None => self.entry(),
        };
        match entry {
            Ok(Some(entry)) => Some(Ok(entry)),
            Ok(None) => {
                self.ended = true;
                None
            }
            Err(reason) => {
                self.ended = true;
                Some(Err(ParseError { line: self.line, reason }))
            }
        }
    }

    #[inline]
    fn expected(&mut self, expected: &[u8]) -> Option<&'a [u8]> {
        let (series, after) = self.rest.split_at_checked(expected.len())?;
        // A name that is followed by a blank may still have labels.
        if expected.is_empty()
            || series != expected
            || after.first() != Some(&b' ')
            || after.get(1) == Some(&b'{')
        {
            return None;
        }
        if after.get(1).is_some_and(|byte| is_blank(*byte)) {
            return None;
        }
        self.rest = after;
        self.line += 1;
        Some(series)
    }

    fn entry(&mut self) -> Result<Option<Entry<'a>>, Reason> {
        loop {
            self.line += 1;
            if self.format == Format::Text {
                self.rest = skip_blank(self.rest);
            }
            match self.rest {
                [] if self.format == Format::OpenMetrics => return Err(Reason::Eof),
                [] => return Ok(None),
                [b'\n', ..] if self.format == Format::OpenMetrics => return Err(Reason::Foreign),
                [b'\n', rest @ ..] => self.rest = rest,
                [b'#', ..] => {
                    let line = self.take_line();
                    let said =
                        if self.format == Format::Text { text_comment(line)? } else { om_comment(line)? };
                    match said {
                        Comment::Says(entry) => return Ok(Some(entry)),
                        Comment::Nothing => {}
                        Comment::End if self.rest.is_empty() => return Ok(None),
                        Comment::End => return Err(Reason::AfterEof),
                    }
                }
                _ => {
                    let (series, after) = self.rest.split_at_checked(end(self.rest)?).ok_or(Reason::Open)?;
                    // A text may hold line ends only where it is quoted.
                    self.rest = after;
                    let entry = self.sample(series, false);
                    if entry.is_ok() {
                        self.line += series.iter().filter(|byte| **byte == b'\n').count();
                    }
                    return entry.map(Some);
                }
            }
        }
    }

    /// Reads what follows a series' text: its value, and maybe its time and an exemplar.
    #[inline]
    fn sample(&mut self, raw: &'a [u8], expected: bool) -> Result<Entry<'a>, Reason> {
        let token = self.token();
        let value = number::value(token).ok_or_else(|| Reason::Number(shown(token)))?;
        let mut at_ms = None;
        if self.rest.first() != Some(&b'\n') {
            self.rest = skip_blank(self.rest);
            if !matches!(self.rest, [] | [b'\n' | b'#', ..]) {
                at_ms = Some(self.time()?);
                self.rest = skip_blank(self.rest);
            }
            if self.format == Format::OpenMetrics && self.rest.first() == Some(&b'#') {
                self.exemplar()?;
            }
        }
        match self.rest {
            [b'\n', rest @ ..] => self.rest = rest,
            [] if self.format == Format::Text => {}
            [] => return Err(Reason::Eof),
            _ => return Err(Reason::Rest(shown(self.take_line()))),
        }
        Ok(Entry::Series(Series { raw, expected, value, at_ms }))
    }

    /// The bytes up to the next blank or line end, without blanks before them.
    #[inline]
    fn token(&mut self) -> &'a [u8] {
        let start = match self.rest {
            [b' ', rest @ ..] if rest.first().is_some_and(|byte| !is_blank(*byte)) => rest,
            rest => skip_blank(rest),
        };
        let length = start.iter().take_while(|byte| !matches!(byte, b' ' | b'\n' | b'\t')).count();
        let (token, rest) = start.split_at_checked(length).unwrap_or((start, &[]));
        self.rest = rest;
        token
    }

    fn time(&mut self) -> Result<i64, Reason> {
        let token = self.token();
        let (time, unit) = match self.format {
            Format::Text => (number::milliseconds(token), "milliseconds"),
            Format::OpenMetrics => (number::seconds(token), "seconds"),
        };
        time.ok_or_else(|| Reason::Time(shown(token), unit))
    }

    /// Exemplars are checked and given up: nothing asks for them.
    fn exemplar(&mut self) -> Result<(), Reason> {
        let Some(rest) = self.rest.strip_prefix(b"# {") else {
            return Err(Reason::Rest(shown(self.take_line())));
        };
        let from_brace = self.rest.get(2..).unwrap_or_default();
        labels(rest, &mut Pairs::new(), false)?;
        self.rest = from_brace.get(braces(from_brace)?..).unwrap_or_default();
        let token = self.token();
        number::value(token).ok_or_else(|| Reason::Number(shown(token)))?;
        self.rest = skip_blank(self.rest);
        if !matches!(self.rest, [] | [b'\n', ..]) {
            self.time()?;
        }
        Ok(())
    }

    /// The rest of the line, without its end.
    fn take_line(&mut self) -> &'a [u8] {
        let length = memchr(b'\n', self.rest).unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        line
    }
}

impl<'a> Iterator for Parser<'a> {
    type Item = Result<Entry<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_expecting(&[])
    }
}

enum Comment<'a> {
    Says(Entry<'a>),
    Nothing,
    End,
}

fn text_comment(line: &[u8]) -> Result<Comment<'_>, Reason> {
    let words = line.strip_prefix(b"#").unwrap_or(line);
    let after = skip_blank(words);
    if after.len() == words.len() {
        return Ok(Comment::Nothing);
    }
    for keyword in ["HELP", "TYPE"] {
        let Some(rest) = after.strip_prefix(keyword.as_bytes()) else { continue };
        if !rest.first().is_some_and(|byte| is_blank(*byte)) {
            continue;
        }
        let (name, rest) = comment_name(skip_blank(rest)).map_err(|_| Reason::Comment(keyword))?;
        let said = text(skip_blank(rest), "a comment")?;
        return if keyword == "HELP" {
            Ok(Comment::Says(Entry::Help(name, unescape(said, false))))
        } else {
            let kind = said.trim_end_matches([' ', '\t']);
            kind_of(kind).map(|kind| Comment::Says(Entry::Type(name, kind)))
        };
    }
    Ok(Comment::Nothing)
}

fn om_comment(line: &[u8]) -> Result<Comment<'_>, Reason> {
    if line == b"# EOF" {
        return Ok(Comment::End);
    }
    for keyword in ["HELP", "TYPE", "UNIT"] {
        let rest = line.strip_prefix(b"# ").and_then(|it| it.strip_prefix(keyword.as_bytes()));
        let Some(rest) = rest.and_then(|it| it.strip_prefix(b" ")) else { continue };
        let bad = || Reason::Comment(keyword);
        let (name, rest) = comment_name(rest).map_err(|_| bad())?;
        let said = match rest.strip_prefix(b" ") {
            Some(said) => text(said, "a comment")?,
            None if rest.is_empty() && keyword != "TYPE" => "",
            None => return Err(bad()),
        };
        return match keyword {
            "HELP" => Ok(Comment::Says(Entry::Help(name, unescape(said, true)))),
            "TYPE" => kind_of(said).map(|kind| Comment::Says(Entry::Type(name, kind))),
            _ => {
                let stem = name.strip_suffix(said).filter(|stem| said.is_empty() || stem.ends_with('_'));
                stem.ok_or_else(|| Reason::Unit(shown(said.as_bytes())))?;
                Ok(Comment::Says(Entry::Unit(name, said)))
            }
        };
    }
    Err(Reason::Foreign)
}

fn kind_of(kind: &str) -> Result<&str, Reason> {
    if TYPES.contains(&kind) { Ok(kind) } else { Err(Reason::Type(shown(kind.as_bytes()))) }
}
