//! Conditions on labels, compiled once and asked often.

use std::collections::BTreeMap;
use std::fmt;

use ops_contract::Matcher;
use regex::{Regex, RegexBuilder};
use thiserror::Error;

use super::quote;

/// Longest regular expression in bytes.
const LONGEST_EXPRESSION: usize = 16 << 10;
/// Most memory that a compiled one may take, in bytes.
const LARGEST_PROGRAM: usize = 1 << 20;

/// A matcher that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the matcher {text:?} cannot be read: {reason}")]
pub struct MatcherError {
    /// What was given, at most its first 200 characters.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl MatcherError {
    pub(crate) fn new(text: &str, reason: impl Into<String>) -> Self {
        Self { text: text.chars().take(200).collect(), reason: reason.into() }
    }
}

/// Matchers that must all match, in Alertmanager's order: by name, value, operator.
#[derive(Clone, Debug, Default)]
pub struct Matchers {
    sources: Vec<Matcher>,
    tests: Vec<Test>,
}

#[derive(Clone, Debug)]
enum Test {
    Equal(String),
    /// Sorted.
    OneOf(Vec<String>),
    Regex(Regex),
}

impl Matchers {
    /// Compiles them.
    ///
    /// # Errors
    /// The first that has no name or whose expression is none, or is too large.
    pub fn compile(mut matchers: Vec<Matcher>) -> Result<Self, MatcherError> {
        matchers.sort_by(|a, b| order(a).cmp(&order(b)));
        let tests = matchers.iter().map(test).collect::<Result<_, _>>()?;
        Ok(Self { sources: matchers, tests })
    }

    /// Whether a label set meets all of them; a label that is missing counts as empty.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.sources.iter().zip(&self.tests).all(|(matcher, test)| {
            let value = labels.get(&matcher.name).map_or("", String::as_str);
            test.holds(value) == matcher.is_equal
        })
    }

    /// Whether even a label set without any label meets them, as every one does when there are none.
    #[must_use]
    pub fn matches_everything(&self) -> bool {
        self.sources.iter().zip(&self.tests).all(|(matcher, test)| test.holds("") == matcher.is_equal)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// What they were compiled from, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Matcher] {
        &self.sources
    }
}

impl PartialEq for Matchers {
    fn eq(&self, other: &Self) -> bool {
        self.sources == other.sources
    }
}

impl Eq for Matchers {}

/// As in Alertmanager: `{severity="page",team=~"a|b"}`.
impl fmt::Display for Matchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, matcher) in self.sources.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            f.write_str(&written(matcher))?;
        }
        f.write_str("}")
    }
}

/// A matcher as Alertmanager writes it.
fn written(matcher: &Matcher) -> String {
    let operator = operator(matcher);
    if matcher.name.contains(is_reserved) {
        return format!("{}{operator}{}", quote::go(&matcher.name), quote::go(&matcher.value));
    }
    format!("{}{operator}{}", matcher.name, quote::open_metrics(&matcher.value))
}

/// Characters that end a text without quotes.
pub(crate) fn is_reserved(c: char) -> bool {
    c.is_whitespace() || "{}!=~,\\\"'`".contains(c)
}

fn operator(matcher: &Matcher) -> &'static str {
    match (matcher.is_equal, matcher.is_regex) {
        (true, false) => "=",
        (false, false) => "!=",
        (true, true) => "=~",
        (false, true) => "!~",
    }
}

fn order(matcher: &Matcher) -> (&str, &str, bool, bool) {
    (&matcher.name, &matcher.value, matcher.is_regex, !matcher.is_equal)
}

fn test(matcher: &Matcher) -> Result<Test, MatcherError> {
    if matcher.name.is_empty() {
        return Err(MatcherError::new(&written(matcher), "the label has no name"));
    }
    if !matcher.is_regex {
        return Ok(Test::Equal(matcher.value.clone()));
    }
    let value = &matcher.value;
    if value.len() > LONGEST_EXPRESSION {
        return Err(MatcherError::new(
            value,
            format!("the expression has more than {LONGEST_EXPRESSION} bytes"),
        ));
    }
    if let Some(mut texts) = literals(value) {
        texts.sort();
        return Ok(match (texts.pop(), texts.is_empty()) {
            (Some(text), true) => Test::Equal(text),
            (last, _) => Test::OneOf(texts.into_iter().chain(last).collect()),
        });
    }
    RegexBuilder::new(&format!("^(?:{value})$"))
        .size_limit(LARGEST_PROGRAM)
        .nest_limit(100)
        .build()
        // A group that `value` closes and opens again would loosen the anchors.
        .and_then(|regex| RegexBuilder::new(value).size_limit(LARGEST_PROGRAM).build().map(|_| regex))
        .map(Test::Regex)
        .map_err(|error| MatcherError::new(&written(matcher), reason(&error)))
}

/// The last line of what the engine says: the others draw the expression.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// The texts of an alternation of texts, `a|b|c\.d`; `None` when it is more than that.
fn literals(expression: &str) -> Option<Vec<String>> {
    let mut texts = vec![String::new()];
    let mut chars = expression.chars();
    while let Some(c) = chars.next() {
        match c {
            '|' => texts.push(String::new()),
            '\\' => {
                let escaped = chars.next().filter(char::is_ascii_punctuation)?;
                // `\<` and `\>` are word boundaries.
                texts.last_mut()?.push(Some(escaped).filter(|c| !matches!(c, '<' | '>'))?);
            }
            '.' | '+' | '*' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' => return None,
            c => texts.last_mut()?.push(c),
        }
    }
    Some(texts)
}

impl Test {
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Equal(text) => text == value,
            Self::OneOf(texts) => texts.binary_search_by(|text| text.as_str().cmp(value)).is_ok(),
            Self::Regex(regex) => regex.is_match(value),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::parse_matchers;
    use super::*;

    fn compiled(text: &str) -> Matchers {
        Matchers::compile(parse_matchers(text).unwrap()).unwrap()
    }

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn matchers_look_at_the_whole_value_and_take_what_is_missing_as_empty() {
        let alert = labels(&[("severity", "page"), ("team", "web.eu")]);
        for (text, expected) in [
            ("{}", true),
            ("severity=page", true),
            ("severity!=page", false),
            ("severity=~pa", false),
            ("severity=~pa.*", true),
            ("severity!~pa.*", false),
            ("severity=~\"page|warning\"", true),
            ("severity=~\"critical|warning\"", false),
            (r#"team=~"web\\.eu""#, true),
            (r#"team=~"web\\.e""#, false),
            ("missing=\"\"", true),
            ("missing!=\"\"", false),
            ("missing=~\".*\"", true),
            ("missing=~\".+\"", false),
            ("missing=~\"a|\"", true),
            ("missing!~\"a|b\"", true),
            ("severity=page,team=other", false),
        ] {
            assert_eq!(compiled(text).matches(&alert), expected, "{text}");
        }
    }

    #[test]
    fn what_matches_a_set_without_labels_matches_everything() {
        for (text, expected) in [
            ("{}", true),
            ("a=~\".*\"", true),
            ("a!=x", true),
            ("a=\"\"", true),
            ("a=x", false),
            ("a=~\".*\",b=~\".+\"", false),
        ] {
            assert_eq!(compiled(text).matches_everything(), expected, "{text}");
        }
    }

    #[test]
    fn they_are_written_in_alertmanagers_order_and_quoting() {
        for (text, expected) in [
            ("team=a,severity=page", r#"{severity="page",team="a"}"#),
            ("a!~x,a=~x,a!=x,a=x", r#"{a="x",a!="x",a=~"x",a!~"x"}"#),
            (r#"{"with space"="tab\t",b="q\"\n"}"#, r#"{b="q\"\n","with space"="tab\t"}"#),
            ("{}", "{}"),
        ] {
            assert_eq!(compiled(text).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn alternations_of_texts_need_no_engine() {
        for (expression, expected) in [
            ("a|b", Some(vec!["a", "b"])),
            (r"a\.b|", Some(vec!["a.b", ""])),
            ("", Some(vec![""])),
            (r"\d", None),
            (r"\<", None),
            ("a.b", None),
            ("a(b|c)", None),
            ("a\\", None),
        ] {
            let expected = expected.map(|texts| texts.into_iter().map(str::to_owned).collect());
            assert_eq!(literals(expression), expected, "{expression}");
        }
    }

    #[test]
    fn what_is_no_expression_or_too_large_is_refused() {
        let of = |value: &str| {
            let matcher = Matcher { name: "a".into(), value: value.into(), is_regex: true, is_equal: true };
            Matchers::compile(vec![matcher]).map(|_| ())
        };
        for value in ["(", "a)|(b", "[z-a]", "(?:a{1000}){1000}", &"a|b.".repeat(10_000), &"(".repeat(5_000)]
        {
            let error = of(value).unwrap_err();
            assert!(error.text.len() <= 400 && !error.reason.is_empty(), "{error}");
        }
        let error = of("(").unwrap_err();
        assert_eq!(error.to_string(), r#"the matcher "a=~\"(\"" cannot be read: unclosed group"#);
        let nameless = Matcher { name: String::new(), value: "x".into(), is_regex: false, is_equal: true };
        assert!(Matchers::compile(vec![nameless]).is_err());
    }
}
