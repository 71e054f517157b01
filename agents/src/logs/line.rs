use ops_contract::{LogLine, LogStream, Timestamp};

/// Longest text of a line that is passed on.
const LONGEST: usize = 16 * 1024;

/// Reads `<micros> o|e <text>`; a line that is not so stands as it is.
pub(super) fn parse(raw: &[u8]) -> LogLine {
    let text = String::from_utf8_lossy(raw);
    let mut parts = text.splitn(3, ' ');
    let at = parts.next().and_then(|at| at.parse().ok());
    let stream = match parts.next() {
        Some("o") => Some(LogStream::Out),
        Some("e") => Some(LogStream::Err),
        _ => None,
    };
    match (at, stream, parts.next()) {
        (Some(at), Some(stream), Some(text)) => LogLine { at: Timestamp(at), stream, text: bounded(text) },
        _ => LogLine { at: Timestamp(0), stream: LogStream::Err, text: bounded(&text) },
    }
}

fn bounded(text: &str) -> String {
    text[..text.floor_char_boundary(LONGEST)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_rubbish_stands_as_it_is() {
        let line = parse(b"17 o {\"level\":30,\"msg\":\"a b\"}");
        assert_eq!(
            (line.at, line.stream, line.text.as_str()),
            (Timestamp(17), LogStream::Out, "{\"level\":30,\"msg\":\"a b\"}")
        );
        assert_eq!(parse(b"17 e ").text, "");
        assert_eq!(parse(b"rubbish \xff").text, "rubbish \u{fffd}");
    }
}
