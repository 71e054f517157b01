use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use thiserror::Error;

/// The label that holds a metric's name.
pub const NAME: &str = "__name__";

/// Longest name or value in bytes: what two digits of base 128 can say.
const LONGEST: usize = 16_383;

/// What names a series: pairs of label and value, ordered by label, without empty values.
///
/// One shared string, so that a copy costs one counter: for each pair the lengths of name and value, two
/// ASCII characters of seven bits each, then both texts.
#[derive(Clone)]
pub struct Labels(Arc<str>);

/// Why pairs are not a label set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LabelsError {
    /// The same label twice.
    #[error("label {0:?} is given twice")]
    Twice(String),
    /// Longer than a label or value may be.
    #[error("label {0:?} or its value is longer than {LONGEST} bytes")]
    Long(String),
    /// A label without a name.
    #[error("a label has no name")]
    Nameless,
}

impl Labels {
    /// The label set of `pairs`, in any order; pairs with an empty value are left out.
    ///
    /// # Errors
    /// A label that is given twice, has no name, or is too long.
    pub fn new<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Self, LabelsError>
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let mut pairs: Vec<(N, V)> =
            pairs.into_iter().filter(|(_, value)| !value.as_ref().is_empty()).collect();
        pairs.sort_by(|(a, _), (b, _)| a.as_ref().cmp(b.as_ref()));
        for pair in pairs.windows(2) {
            if let [(a, _), (b, _)] = pair
                && a.as_ref() == b.as_ref()
            {
                return Err(LabelsError::Twice(a.as_ref().to_owned()));
            }
        }
        let pairs = pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        Self::from_sorted(pairs)
    }

    /// The label set of pairs that are ordered by label, each label once.
    ///
    /// # Errors
    /// A label that has no name or is too long.
    pub fn from_sorted<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, LabelsError> {
        let mut text = String::with_capacity(128);
        for (name, value) in pairs {
            if value.is_empty() {
                continue;
            }
            if name.is_empty() {
                return Err(LabelsError::Nameless);
            }
            if name.len() > LONGEST || value.len() > LONGEST {
                let start: String = name.chars().take(80).collect();
                return Err(LabelsError::Long(start));
            }
            push_length(&mut text, name.len());
            push_length(&mut text, value.len());
            text.push_str(name);
            text.push_str(value);
        }
        Ok(Self(text.into()))
    }

    /// The pairs in the order of their labels.
    pub fn iter(&self) -> Pairs<'_> {
        Pairs { rest: &self.0 }
    }

    /// The value of `name`, if it has one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().take_while(|(it, _)| *it <= name).find(|(it, _)| *it == name).map(|(_, value)| value)
    }

    /// The metric's name; empty when it has none.
    #[must_use]
    pub fn metric(&self) -> &str {
        self.get(NAME).unwrap_or_default()
    }

    /// Whether there is no label.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many labels there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// The bytes that stand for the set; equal sets have equal bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The same on every machine and in every version: FNV-1a over names and values, each followed by `0xff`, as
    /// Prometheus and Alertmanager compute the fingerprint of a label set.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut sum = 0xcbf2_9ce4_8422_2325_u64;
        let mut eat = |bytes: &[u8]| {
            for byte in bytes.iter().chain(&[0xff]) {
                sum = (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for (name, value) in self.iter() {
            eat(name.as_bytes());
            eat(value.as_bytes());
        }
        sum
    }

    /// Begins another set with these labels.
    #[must_use]
    pub fn to_builder(&self) -> LabelsBuilder {
        LabelsBuilder(self.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

fn push_length(text: &mut String, length: usize) {
    let low = u8::try_from(length & 0x7f).unwrap_or_default();
    let high = u8::try_from((length >> 7) & 0x7f).unwrap_or_default();
    text.push(char::from(high));
    text.push(char::from(low));
}

/// Pairs of label and value.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let [n1, n2, v1, v2, ..] = *self.rest.as_bytes() else { return None };
        let name_end = 4 + (usize::from(n1) << 7) + usize::from(n2);
        let value_end = name_end + (usize::from(v1) << 7) + usize::from(v2);
        let pair = (self.rest.get(4..name_end)?, self.rest.get(name_end..value_end)?);
        self.rest = self.rest.get(value_end..)?;
        Some(pair)
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = (&'a str, &'a str);
    type IntoIter = Pairs<'a>;

    fn into_iter(self) -> Pairs<'a> {
        self.iter()
    }
}

impl Default for Labels {
    fn default() -> Self {
        Self("".into())
    }
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for Labels {}

impl Hash for Labels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By the first label that differs, then by its value.
impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

/// As in PromQL: `up{job="api"}`; names that are no plain identifiers stand in quotation marks.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metric = self.metric();
        let plain_metric = is_plain(metric, true);
        if plain_metric {
            f.write_str(metric)?;
        }
        let mut separator = "";
        let pairs = self.iter().filter(|(name, _)| !(*name == NAME && plain_metric));
        let mut any = false;
        for (name, value) in pairs {
            f.write_str(if any { "," } else { "{" })?;
            any = true;
            if name == NAME {
                write!(f, "{separator}{metric:?}")?;
            } else if is_plain(name, false) {
                write!(f, "{separator}{name}={value:?}")?;
            } else {
                write!(f, "{separator}{name:?}={value:?}")?;
            }
            separator = " ";
        }
        match (any, metric.is_empty()) {
            (true, _) => f.write_str("}"),
            (false, true) => f.write_str("{}"),
            (false, false) => Ok(()),
        }
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether `name` may stand without quotation marks: letters, digits and underscores; a metric's also colons.
fn is_plain(name: &str, colon: bool) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colon && c == ':');
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(plain)
}

/// A label set that is being put together.
#[derive(Clone, Debug, Default)]
pub struct LabelsBuilder(BTreeMap<String, String>);

impl LabelsBuilder {
    /// Sets `name` to `value`; an empty value takes the label away.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        let (name, value) = (name.into(), value.into());
        if value.is_empty() {
            self.0.remove(&name);
        } else {
            self.0.insert(name, value);
        }
        self
    }

    /// Takes `name` away.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.0.remove(name);
        self
    }

    /// The value of `name` so far.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Keeps the labels for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &str) -> bool) -> &mut Self {
        self.0.retain(|name, value| keep(name, value));
        self
    }

    /// The pairs so far, ordered by label.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The label set.
    ///
    /// # Errors
    /// A label that has no name or is too long.
    pub fn build(&self) -> Result<Labels, LabelsError> {
        Labels::from_sorted(self.iter())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        Labels::new(pairs.iter().copied()).unwrap()
    }

    #[test]
    fn labels_are_ordered_and_empty_values_are_left_out() {
        let it = labels(&[("job", "api"), ("__name__", "up"), ("gone", "")]);
        assert_eq!(it.iter().collect::<Vec<_>>(), [("__name__", "up"), ("job", "api")]);
        assert_eq!((it.get("job"), it.get("gone"), it.metric(), it.len()), (Some("api"), None, "up", 2));
        assert_eq!(it, it.to_builder().build().unwrap());
    }

    #[test]
    fn long_and_foreign_texts_survive() {
        let long = "ü".repeat(8_000);
        let it = labels(&[("a", &long), ("größe", "1"), ("z", "\u{7f}")]);
        assert_eq!(it.get("a"), Some(long.as_str()));
        assert_eq!(it.get("größe"), Some("1"));
        assert_eq!(it.get("z"), Some("\u{7f}"));
        assert!(Labels::new([("a", "ü".repeat(8_192))]).is_err());
        assert_eq!(Labels::new([("a", "1"), ("a", "2")]), Err(LabelsError::Twice("a".to_owned())));
    }

    #[test]
    fn it_reads_as_in_promql() {
        assert_eq!(labels(&[("__name__", "up"), ("job", "a\"b")]).to_string(), r#"up{job="a\"b"}"#);
        assert_eq!(labels(&[("__name__", "my.up"), ("b.c", "1")]).to_string(), r#"{"my.up", "b.c"="1"}"#);
        assert_eq!(labels(&[]).to_string(), "{}");
        assert_eq!(labels(&[("__name__", "up")]).to_string(), "up");
    }

    #[test]
    fn the_fingerprint_is_alertmanagers() {
        // From prometheus/common, model/labelset_test.go and fnv: the empty set is the offset basis.
        assert_eq!(labels(&[]).fingerprint(), 14_695_981_039_346_656_037);
    }

    #[test]
    fn sets_are_ordered_by_label_then_value() {
        let (a, b) = (labels(&[("a", "2")]), labels(&[("a", "10"), ("b", "1")]));
        assert!(b < a);
    }
}
