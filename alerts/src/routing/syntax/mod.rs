//! Matchers as people write them: Alertmanager's older syntax and its newer one with quoted names.
//!
//! As in Alertmanager without feature flags, both are tried. Where they disagree, the older one decides.

mod classic;
mod utf8;

use ops_contract::Matcher;

use super::{MatcherError, Matchers};

/// Longest text in bytes.
const LONGEST: usize = 64 << 10;
/// Most matchers of one list.
const MOST: usize = 1_000;

/// Parses a list: `{foo="bar", "quoted name"=~"re"}`, with or without braces.
///
/// # Errors
/// What is wrong with it.
pub fn parse_matchers(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    decide(text, utf8::list(text), || classic::list(text))
}

/// Parses exactly one: `foo=bar`.
///
/// # Errors
/// What is wrong with it, or that there is none or more than one.
pub fn parse_matcher(text: &str) -> Result<Matcher, MatcherError> {
    if text.starts_with('{') || text.ends_with('}') {
        return Err(MatcherError::new(text, "one matcher has no braces"));
    }
    let one = |list: Result<Vec<Matcher>, String>| match list {
        Ok(list) if list.len() == 1 => Ok(list),
        Ok(list) => Err(format!("there are {} matchers where one is expected", list.len())),
        Err(reason) => Err(reason),
    };
    let mut list = decide(text, one(utf8::list(text)), || classic::one(text).map(|matcher| vec![matcher]))?;
    list.pop().ok_or_else(|| MatcherError::new(text, "there is no matcher"))
}

fn decide(
    text: &str,
    newer: Result<Vec<Matcher>, String>,
    older: impl FnOnce() -> Result<Vec<Matcher>, String>,
) -> Result<Vec<Matcher>, MatcherError> {
    if text.len() > LONGEST {
        return Err(MatcherError::new(text, format!("it has more than {LONGEST} bytes")));
    }
    let sound = |list: Vec<Matcher>| match Matchers::compile(list.clone()) {
        Ok(_) if list.len() > MOST => Err(format!("there are more than {MOST} matchers")),
        Ok(_) => Ok(list),
        Err(error) => Err(error.reason),
    };
    match (newer.and_then(sound), older().and_then(sound)) {
        (_, Ok(older)) => Ok(older),
        (Ok(newer), Err(_)) => Ok(newer),
        // The newer parser says where; the older one only that it cannot.
        (Err(reason), Err(_)) => Err(MatcherError::new(text, reason)),
    }
}

#[cfg(test)]
mod tests;
