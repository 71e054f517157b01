//! Cuts a stream of bytes into lines, however it arrives, and never holds more than one.

/// Bytes of a line at most: the largest entry, each character escaped.
pub const MAX_LINE: usize = 512 * 1024;

/// Bytes that were fed and make no line yet.
#[derive(Debug, Default)]
pub struct Splitter {
    partial: Vec<u8>,
    /// The line is too long; what comes until its end is passed over.
    overlong: bool,
}

/// What a splitter found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split<'a> {
    /// A line, without its newline.
    Line(&'a [u8]),
    /// A line that was longer than [`MAX_LINE`].
    TooLong,
}

impl Splitter {
    /// Takes the next bytes and hands over each line that they complete.
    pub fn feed(&mut self, bytes: &[u8], mut found: impl FnMut(Split<'_>)) {
        let mut rest = bytes;
        while let Some((part, after)) =
            memchr::memchr(b'\n', rest).and_then(|end| Some((rest.get(..end)?, rest.get(end + 1..)?)))
        {
            rest = after;
            if self.overlong || self.partial.len() + part.len() > MAX_LINE {
                found(Split::TooLong);
            } else if self.partial.is_empty() {
                found(Split::Line(part));
            } else {
                self.partial.extend_from_slice(part);
                found(Split::Line(&self.partial));
            }
            self.partial.clear();
            self.overlong = false;
        }
        // What follows the last newline is no line yet.
        if self.overlong || self.partial.len() + rest.len() > MAX_LINE {
            self.overlong = true;
            self.partial.clear();
        } else {
            self.partial.extend_from_slice(rest);
        }
    }

    /// Hands over what is left when nothing comes any more: a last line without its newline.
    pub fn finish(&mut self, mut found: impl FnMut(Split<'_>)) {
        if self.overlong {
            found(Split::TooLong);
        } else if !self.partial.is_empty() {
            found(Split::Line(&self.partial));
        }
        self.partial.clear();
        self.overlong = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(chunks: &[&[u8]]) -> Vec<String> {
        let (mut splitter, mut lines) = (Splitter::default(), Vec::new());
        let mut keep = |found: Split<'_>| {
            lines.push(match found {
                Split::Line(line) => String::from_utf8_lossy(line).into_owned(),
                Split::TooLong => "too long".to_owned(),
            });
        };
        for chunk in chunks {
            splitter.feed(chunk, &mut keep);
        }
        splitter.finish(&mut keep);
        lines
    }

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let whole = b"one\ntwo\n\nfour";
        for size in 1..whole.len() {
            let chunks: Vec<&[u8]> = whole.chunks(size).collect();
            assert_eq!(split(&chunks), ["one", "two", "", "four"]);
        }
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let long = vec![b'x'; MAX_LINE];
        assert_eq!(split(&[&long, b"x", &long, b"\nnext\n"]), ["too long", "next"]);
        assert_eq!(split(&[&long, b"\n"])[0].len(), MAX_LINE);
        assert_eq!(split(&[&long, &long]), ["too long"]);
    }
}
