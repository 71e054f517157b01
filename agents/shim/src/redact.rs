/// What stands in the log in place of a secret.
const REPLACEMENT: &[u8] = b"[redacted]";
/// Shorter values are words of every log.
const SHORTEST: usize = 6;

/// Finds secrets in what a program writes.
pub(crate) struct Redactor {
    /// Longest first, so that a secret which contains another goes as a whole.
    secrets: Vec<Vec<u8>>,
    /// Which bytes begin a secret.
    first: [bool; 256],
}

impl Redactor {
    /// Values of several lines are looked for line by line, as the log holds lines.
    pub(crate) fn new(values: &[String]) -> Self {
        let lines = values.iter().flat_map(|value| value.lines());
        let mut secrets: Vec<Vec<u8>> =
            lines.filter(|line| line.len() >= SHORTEST).map(|line| line.as_bytes().to_vec()).collect();
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        let mut first = [false; 256];
        for secret in &secrets {
            first[usize::from(secret[0])] = true;
        }
        Self { secrets, first }
    }

    /// How much of a line must be seen before its start may be let go.
    pub(crate) fn longest(&self) -> usize {
        self.secrets.first().map_or(0, Vec::len)
    }

    /// Appends the start of `raw`, redacted and at most `limit` bytes long, to `out`; returns how much of `raw` that
    /// was. When `raw` goes on (`complete` is false), nothing is let go that may yet turn out to be a secret.
    pub(crate) fn take(&self, raw: &[u8], complete: bool, limit: usize, out: &mut Vec<u8>) -> usize {
        let end = if complete { raw.len() } else { raw.len().saturating_sub(self.longest()) };
        let full = out.len() + limit.saturating_sub(REPLACEMENT.len());
        let mut at = 0;
        while at < end && out.len() < full {
            match self.secret_at(&raw[at..]) {
                Some(length) => {
                    out.extend_from_slice(REPLACEMENT);
                    at += length;
                }
                None => {
                    out.push(raw[at]);
                    at += 1;
                }
            }
        }
        at
    }

    fn secret_at(&self, raw: &[u8]) -> Option<usize> {
        if !self.first[usize::from(*raw.first()?)] {
            return None;
        }
        self.secrets.iter().find(|secret| raw.starts_with(secret)).map(Vec::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(secrets: &[&str], line: &str, expected: &str) {
        let redactor = Redactor::new(&secrets.iter().map(|&s| s.to_owned()).collect::<Vec<_>>());
        let mut out = Vec::new();
        assert_eq!(redactor.take(line.as_bytes(), true, 1000, &mut out), line.len());
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn secrets_are_replaced_wherever_they_stand() {
        check(&["hunter2hunter2"], "hunter2hunter2 and hunter2hunter2", "[redacted] and [redacted]");
        check(&["hunter2"], "redis://:hunter2@localhost", "redis://:[redacted]@localhost");
        check(&["secret", "secret-long"], "x secret-long secret", "x [redacted] [redacted]");
        check(&["first line\nsecond line"], "got second line", "got [redacted]");
    }

    #[test]
    fn short_values_and_no_values_change_nothing() {
        check(&["3001", ""], "port 3001", "port 3001");
        check(&[], "plain", "plain");
    }

    #[test]
    fn the_end_of_an_unfinished_line_is_held_back() {
        let redactor = Redactor::new(&["hunter2".to_owned()]);
        let mut out = Vec::new();
        let taken = redactor.take(b"aaaaaaaaaahunt", false, 1000, &mut out);
        assert_eq!((taken, out.as_slice()), (7, b"aaaaaaa".as_slice()));
    }
}
