#![allow(clippy::unwrap_used)]

use super::*;

fn read(body: &str, format: Format) -> Result<Vec<String>, ParseError> {
    let mut parser = Parser::new(body.as_bytes(), format);
    let mut out = Vec::new();
    while let Some(entry) = parser.next() {
        out.push(match entry? {
            Entry::Series(it) => {
                let line = parser.line();
                let pairs = it.pairs().map_err(|reason| ParseError { line, reason })?;
                let time = it.at_ms.map(|at| format!(" @{at}")).unwrap_or_default();
                format!(
                    "{} {:?}{time}",
                    crate::Labels::from_sorted(pairs.iter().map(|(a, b)| (&**a, &**b))).unwrap(),
                    it.value
                )
            }
            Entry::Help(name, text) => format!("help {name} {text}"),
            Entry::Type(name, text) => format!("type {name} {text}"),
            Entry::Unit(name, text) => format!("unit {name} {text}"),
        });
    }
    Ok(out)
}

fn text(body: &str) -> Vec<String> {
    read(body, Format::Text).unwrap()
}

#[track_caller]
fn bad(body: &str, format: Format, line: usize, words: &str) {
    let error = read(body, format).expect_err(body);
    assert_eq!(error.line, line, "{body}: {error}");
    assert!(error.to_string().contains(words), "{words:?} is not in: {error}");
}

#[test]
fn a_series_may_be_written_in_many_ways() {
    for (line, expected) in [
        ("up 1", "up 1.0"),
        ("  up\t1 ", "up 1.0"),
        ("up 1 1700000000000", "up 1.0 @1700000000000"),
        ("up 1 -5\n", "up 1.0 @-5"),
        ("a:b_1 +Inf", "a:b_1 inf"),
        ("up{} 1", "up 1.0"),
        ("up { } 1", "up 1.0"),
        (r#"up {a = "b" , c="d",}1"#, r#"up{a="b", c="d"} 1.0"#),
        (r#"up{c="1",a="2"} 1"#, r#"up{a="2", c="1"} 1.0"#),
        (r#"up{a="x}\"{y",b=""} 1"#, r#"up{a="x}\"{y"} 1.0"#),
        (r#"up{a="1\\2\n3\q"} 1"#, r#"up{a="1\\2\n3\\q"} 1.0"#),
        (r#"{"my.up","b.c"="ü"} 1"#, r#"{"my.up", "b.c"="ü"} 1.0"#),
        (r#"{a="b","up"} 1"#, r#"up{a="b"} 1.0"#),
    ] {
        assert_eq!(text(line), [expected], "{line}");
    }
}

#[test]
fn comments_tell_of_metrics() {
    let body = "# HELP up What \\\\ is\\nup.\n#TYPE up gauge\n# TYPE up\tgauge\n# anything\n#\n\n# HELP \"a.b\" x\n# EOF\n# HELPless\nup 1\n";
    assert_eq!(text(body), ["help up What \\ is\nup.", "type up gauge", "help a.b x", "up 1.0"]);
    assert_eq!(text(""), Vec::<String>::new());
}

#[test]
fn openmetrics_has_seconds_exemplars_units_and_an_end() {
    let body = "# TYPE a_seconds counter\n# UNIT a_seconds seconds\n# HELP a_seconds Says \\\"so\\\".\n\
        a_seconds_total{x=\"# \"} 1.5 1700000000.25 # {trace=\"a}b\"} 0.5 1700000000\na_seconds_total 2 # {} 1\n# EOF\n";
    let expected = [
        "type a_seconds counter",
        "unit a_seconds seconds",
        "help a_seconds Says \"so\".",
        r##"a_seconds_total{x="# "} 1.5 @1700000000250"##,
        "a_seconds_total 2.0",
    ];
    assert_eq!(read(body, Format::OpenMetrics).unwrap(), expected);
    assert_eq!(read("# EOF", Format::OpenMetrics).unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (body, line, words) in [
        ("up 1\nup x\n", 2, "\"x\" is not a number"),
        ("up\n", 1, "\"\" is not a number"),
        ("up 1 1.5\n", 1, "\"1.5\" is not a time in milliseconds"),
        ("up 1 1 1\n", 1, "nothing may follow here, but \"1\" does"),
        ("up 1\r\n", 1, "not a number"),
        ("up{a=\"b\" 1\n", 1, "do not end"),
        ("up{a=\"b} 1\n", 1, "do not end"),
        ("up{a=b} 1\n", 1, "pairs"),
        ("up{a} 1\n", 1, "pairs"),
        ("up{1a=\"b\"} 1\n", 1, "pairs"),
        ("up{a=\"b\" c=\"d\"} 1\n", 1, "pairs"),
        ("up{,} 1\n", 1, "pairs"),
        ("up{a=\"1\",a=\"2\"} 1\n", 1, "\"a\" is given twice"),
        ("up{\"down\"} 1\n", 1, "two names"),
        ("{a=\"b\"} 1\n", 1, "no name"),
        ("1up 1\n", 1, "begin with the name"),
        ("\n\n<html>\n", 3, "begin with the name"),
        ("# TYPE up gauges\n", 1, "\"gauges\" is not the type"),
        ("# HELP 1 x\n", 1, "HELP"),
        ("up 1 # {a=\"b\"} 1\n", 1, "nothing may follow"),
    ] {
        bad(body, Format::Text, line, words);
    }
    for (body, line, words) in [
        ("up 1\n", 2, "# EOF"),
        ("up 1", 1, "# EOF"),
        ("up 1\n# EOF\nup 1\n", 2, "after # EOF"),
        ("\n# EOF\n", 1, "no empty lines"),
        ("# a comment\n# EOF\n", 1, "no comments"),
        ("# UNIT a seconds\n# EOF\n", 1, "unit"),
        ("up 1 NaN\n# EOF\n", 1, "time in seconds"),
        ("up 1 # {a=b} 1\n# EOF\n", 1, "pairs"),
        ("up 1 # {a=\"b\"} x\n# EOF\n", 1, "not a number"),
    ] {
        bad(body, Format::OpenMetrics, line, words);
    }
    let latin = Parser::new(b"up{a=\"\xe4\"} 1\n", Format::Text).next().unwrap().unwrap();
    let Entry::Series(series) = latin else { panic!("no series") };
    assert_eq!(series.pairs(), Err(Reason::Text("a label's value")));
}

#[test]
fn the_content_type_decides() {
    for (it, format) in [
        (None, Format::Text),
        (Some("text/plain; version=0.0.4"), Format::Text),
        (Some("application/openmetrics-text; version=1.0.0; charset=utf-8"), Format::OpenMetrics),
        (Some("Application/OpenMetrics-Text"), Format::OpenMetrics),
        (Some("text/html"), Format::Text),
    ] {
        assert_eq!(Format::of(it), format, "{it:?}");
    }
}

/// Reads `body` with the cache; tells how many texts came as expected, how many are new, and what went.
fn round(cache: &mut Cache<String>, body: &str) -> (usize, usize, Vec<String>) {
    let mut parser = Parser::new(body.as_bytes(), Format::Text);
    let (mut expected, mut new, mut gone) = (0, 0, Vec::new());
    cache.begin();
    while let Some(entry) = parser.next_expecting(cache.expected()) {
        let Entry::Series(series) = entry.unwrap() else { continue };
        expected += usize::from(series.expected);
        let raw = String::from_utf8_lossy(series.raw).into_owned();
        match cache.find(&series) {
            Found::Known(known) => assert_eq!(*known, raw),
            Found::Again(_) => {}
            Found::New => {
                new += 1;
                cache.insert(series.raw, raw);
            }
        }
    }
    cache.finish(|it| gone.push(it));
    (expected, new, gone)
}

#[test]
fn the_cache_follows_what_comes_and_goes() {
    let mut cache = Cache::default();
    let none = Vec::<String>::new;
    assert_eq!(round(&mut cache, "a 1\nb{x=\"1\"} 1\nc 1\nd 1\n"), (0, 4, none()));
    assert_eq!(round(&mut cache, "a 2\n# HELP b x\nb{x=\"1\"} 2\nc 2\nd 2\n"), (4, 0, none()));
    // One more in the middle, one less at the end, one twice; a name may have got labels.
    assert_eq!(
        round(&mut cache, "a 1\nnew 1\nb{x=\"1\"} 1\nc{y=\"1\"} 1\nc 1\nc 1\n"),
        (3, 2, vec!["d".to_owned()])
    );
    assert_eq!(round(&mut cache, "c 1\na 1\n").2.len(), 3);
    assert_eq!(
        round(&mut cache, "c {z=\"1\"} 1\na  {z=\"1\"} 1\n"),
        (0, 2, vec!["c".to_owned(), "a".to_owned()])
    );
    assert_eq!(cache.len(), 2);
    let mut gone = Vec::new();
    cache.clear(|it| gone.push(it));
    assert_eq!((gone.len(), cache.is_empty()), (2, true));
}

/// What is expected never changes what is read, and no bytes make it panic.
#[test]
fn rubbish_is_survived() {
    let words = [
        "up",
        "a:b",
        "1",
        "{",
        "}",
        "\"",
        "\\",
        "=",
        ",",
        " ",
        "\t",
        "\n",
        "# ",
        "HELP ",
        "TYPE ",
        "UNIT ",
        "gauge",
        "EOF",
        "NaN",
        "-1.5e3",
        "a=\"b\"",
        "\"x.y\"",
        "ü",
        "\0",
        "9999999999999999999999",
        "{a=\"b\"} 1\n",
        "up 1\n",
        "# EOF\n",
    ];
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as usize % below
    };
    let (mut good, mut errors) = (0, 0);
    for _ in 0..40_000 {
        let mut body = Vec::new();
        for _ in 0..random(12) {
            body.extend_from_slice(words.get(random(words.len())).unwrap().as_bytes());
            if random(10) == 0 {
                body.push(random(256) as u8);
            }
        }
        for format in [Format::Text, Format::OpenMetrics] {
            let (mut plain, mut hinted) = (Parser::new(&body, format), Parser::new(&body, format));
            loop {
                let expected: &[u8] = if random(2) == 0 { b"up" } else { b"up{a=\"b\"}" };
                let (a, b) = (plain.next(), hinted.next_expecting(expected));
                let strip = |it: Option<Result<Entry<'_>, ParseError>>| match it {
                    Some(Ok(Entry::Series(it))) => {
                        format!("{:?}", (it.raw, it.value.to_bits(), it.at_ms, it.pairs()))
                    }
                    other => format!("{other:?}"),
                };
                match &a {
                    None => break,
                    Some(Ok(_)) => good += 1,
                    Some(Err(_)) => errors += 1,
                }
                assert_eq!(strip(a), strip(b));
            }
        }
    }
    assert!(good > 5_000 && errors > 10_000, "{good} {errors}");
}
