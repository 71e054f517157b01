use std::io::{self, Read};

use crate::files;
use crate::log::Log;
use crate::redact::Redactor;

/// Longest line in the log; a longer one becomes several.
const LONGEST_LINE: usize = 16 * 1024;

/// One output of the program, cut into redacted lines. Bytes that are not UTF-8 pass through.
pub(crate) struct Capture<R> {
    /// `None` once it has ended.
    pub(crate) source: Option<R>,
    tag: u8,
    buffer: Vec<u8>,
    line: Vec<u8>,
}

impl<R: Read> Capture<R> {
    /// Captures `source`, which does not block, as `tag` (`o` or `e`).
    pub(crate) fn new(source: R, tag: u8) -> Self {
        Self { source: Some(source), tag, buffer: Vec::new(), line: Vec::new() }
    }

    /// Reads what is there, at most one chunk; says whether there may be more at once.
    pub(crate) fn read(&mut self, chunk: &mut [u8], redactor: &Redactor, log: &Log) -> bool {
        let Some(source) = &mut self.source else { return false };
        match source.read(chunk) {
            Ok(0) => self.end(redactor, log),
            Ok(length) => {
                self.buffer.extend_from_slice(&chunk[..length]);
                self.cut(redactor, log);
                return true;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.end(redactor, log),
        }
        false
    }

    /// Lets go of the last line, which has no end.
    pub(crate) fn end(&mut self, redactor: &Redactor, log: &Log) {
        self.source = None;
        let rest = std::mem::take(&mut self.buffer);
        if !rest.is_empty() {
            self.write(&rest, true, redactor, log);
        }
    }

    fn cut(&mut self, redactor: &Redactor, log: &Log) {
        let buffer = std::mem::take(&mut self.buffer);
        let mut rest = buffer.as_slice();
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            self.write(&rest[..end], true, redactor, log);
            rest = &rest[end + 1..];
        }
        if rest.len() > LONGEST_LINE + redactor.longest() {
            let taken = self.write(rest, false, redactor, log);
            rest = &rest[taken..];
        }
        let done = buffer.len() - rest.len();
        self.buffer = buffer;
        self.buffer.drain(..done);
        if self.buffer.is_empty() && self.buffer.capacity() > 2 * LONGEST_LINE {
            self.buffer = Vec::new();
        }
    }

    /// Writes a line, or the start of one that goes on, in pieces that are short enough.
    fn write(&mut self, raw: &[u8], complete: bool, redactor: &Redactor, log: &Log) -> usize {
        let now = files::now_us();
        let mut at = 0;
        loop {
            self.line.clear();
            at += redactor.take(&raw[at..], complete, LONGEST_LINE, &mut self.line);
            log.write(now, self.tag, &self.line);
            let enough =
                if complete { at == raw.len() } else { raw.len() - at <= LONGEST_LINE + redactor.longest() };
            if enough {
                return at;
            }
        }
    }
}
