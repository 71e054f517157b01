#![allow(clippy::unwrap_used)]

use ops_contract::Matcher;

use super::*;

fn matcher(name: &str, operator: &str, value: &str) -> Matcher {
    Matcher {
        name: name.into(),
        value: value.into(),
        is_regex: operator.ends_with('~'),
        is_equal: operator.starts_with('='),
    }
}

#[test]
fn one_matcher_is_read_as_alertmanager_reads_it() {
    for (text, (name, operator, value)) in [
        ("foo=bar", ("foo", "=", "bar")),
        (" foo = bar ", ("foo", "=", "bar")),
        ("foo=\"bar\"", ("foo", "=", "bar")),
        ("foo!=bar", ("foo", "!=", "bar")),
        ("foo=~bar", ("foo", "=~", "bar")),
        ("foo!~bar.*|baz", ("foo", "!~", "bar.*|baz")),
        ("foo=", ("foo", "=", "")),
        ("foo=\"\"", ("foo", "=", "")),
        ("foo===", ("foo", "=", "==")),
        ("foo=\"a,b\"", ("foo", "=", "a,b")),
        ("foo=a,b", ("foo", "=", "a,b")),
        (r#"foo="a \"b\" \\ \n \d""#, ("foo", "=", "a \"b\" \\ \n \\d")),
        (r"foo=!bar\n", ("foo", "=", "!bar\n")),
        ("foo🙂=bar", ("foo🙂", "=", "bar")),
        ("\"with space\"=\"bar\"", ("with space", "=", "bar")),
        (r#""tab\t\x41\u00e4\U0001f642\101"="x""#, ("tab\tAä🙂A", "=", "x")),
        // Where both understand it and disagree, the older one decides.
        (r#"foo="\xf0\x9f\x99\x82""#, ("foo", "=", r"\xf0\x9f\x99\x82")),
        ("foo_9:x=bar", ("foo_9:x", "=", "bar")),
    ] {
        assert_eq!(parse_matcher(text), Ok(matcher(name, operator, value)), "{text}");
    }
}

#[test]
fn lists_are_read_with_and_without_braces() {
    let both = vec![matcher("foo", "=", "bar"), matcher("dings", "!=", "bums")];
    for text in [
        "{foo=bar,dings!=bums}",
        "{foo = \"bar\", dings != \"bums\", }",
        "foo=bar, dings!=bums",
        "{ \"foo\" = bar , dings != \"bums\" , }",
        "foo=bar,dings!=bums,",
        "{foo=bar,dings!=bums",
    ] {
        assert_eq!(parse_matchers(text).unwrap(), both, "{text}");
    }
    for text in ["", "{}", " { } ", "{"] {
        assert_eq!(parse_matchers(text).unwrap(), [], "{text}");
    }
    let quote = r#"{quote="She said: \"Hi, ladies! That's gender-neutral…\""}"#;
    let value = "She said: \"Hi, ladies! That's gender-neutral…\"";
    assert_eq!(parse_matchers(quote).unwrap(), [matcher("quote", "=", value)]);
    let expected = [matcher("foo🙂", "=", "bar"), matcher("bar", "=", "baz🙂")];
    assert_eq!(parse_matchers("{foo🙂=bar,bar=baz🙂}").unwrap(), expected);
}

#[test]
fn what_cannot_be_read_is_refused_with_the_place() {
    for (text, reason) in [
        ("foo!bar", "one of =, !=, =~ and !~ is expected at byte 3, where '!' stands"),
        ("=bar", "a label's name is expected at byte 0, where '=' stands"),
        ("foo", "one of =, !=, =~ and !~ is expected at its end"),
        ("\"foo\"=\"bar", "a text that ends with a double quote is expected at byte 6, where '\"' stands"),
        ("\"f oo\"=\"\\q\"", "\"\\\\q\" has an escape that is none"),
        ("a=~\"(\"", "unclosed group"),
        ("{\"a b\"=c} d", "a comma or the end is expected at byte 10, where 'd' stands"),
    ] {
        assert_eq!(parse_matchers(text).unwrap_err().reason, reason, "{text}");
    }
    for text in ["{foo=bar}", "foo=bar}", "", "\"a b\"=c,d=e"] {
        assert!(parse_matcher(text).is_err(), "{text}");
    }
    assert!(parse_matchers(&"a=b,".repeat(1_001)).is_err());
    assert!(parse_matchers(&format!("a={}", "b".repeat(70_000))).is_err());
}

/// A generator that gives the same texts each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

#[test]
fn no_text_makes_the_parsers_panic_and_what_they_accept_survives_being_written() {
    let pieces = [
        "a", "b:", "_", "9", "=", "!=", "=~", "!~", "!", "~", "\"", "\\", "\\n", "\\x4", "\\u00e4", "{", "}",
        ",", " ", "\n", "🙂", "ä", "|", ".*", "(", ")", "[", "'", "`", "\u{0}", "\u{a0}", "$",
    ];
    let mut random = Random(7);
    let mut accepted = 0;
    for _ in 0..60_000 {
        let text: String = (0..random.below(12)).map(|_| pieces[random.below(pieces.len())]).collect();
        let _ = parse_matcher(&text);
        let Ok(list) = parse_matchers(&text) else { continue };
        accepted += usize::from(!list.is_empty());
        let compiled = Matchers::compile(list).unwrap();
        let again = Matchers::compile(parse_matchers(&compiled.to_string()).unwrap()).unwrap();
        assert_eq!(again.as_slice(), compiled.as_slice(), "{text:?} is written as {compiled}");
    }
    assert!(accepted > 300, "only {accepted} texts were matchers: the generator is no good");
}
