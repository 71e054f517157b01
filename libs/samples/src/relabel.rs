//! Prometheus' relabelling: steps that change, copy and take away labels, and keep or drop what has them.

use std::borrow::Cow;

use md5::{Digest, Md5};
use regex::{Regex, RegexBuilder};
use thiserror::Error;

use crate::LabelsBuilder;

/// Longest expression, and how much memory a compiled one may take.
const MAX_REGEX: usize = 10_000;
const MAX_COMPILED: usize = 1 << 20;

/// What a step does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// Writes `replacement` into `target_label` where `regex` matches.
    #[default]
    Replace,
    /// Drops what does not match.
    Keep,
    /// Drops what matches.
    Drop,
    /// Keeps what has the value of `target_label`.
    KeepEqual,
    /// Drops what has the value of `target_label`.
    DropEqual,
    /// Writes the MD5 sum's number modulo `modulus`.
    HashMod,
    /// Copies labels whose name matches to the name `replacement`.
    LabelMap,
    /// Takes away labels whose name matches.
    LabelDrop,
    /// Takes away labels whose name does not match.
    LabelKeep,
    /// Writes the value in lower case.
    Lowercase,
    /// Writes the value in upper case.
    Uppercase,
}

impl Action {
    /// The action that a configuration names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "replace" => Self::Replace,
            "keep" => Self::Keep,
            "drop" => Self::Drop,
            "keepequal" => Self::KeepEqual,
            "dropequal" => Self::DropEqual,
            "hashmod" => Self::HashMod,
            "labelmap" => Self::LabelMap,
            "labeldrop" => Self::LabelDrop,
            "labelkeep" => Self::LabelKeep,
            "lowercase" => Self::Lowercase,
            "uppercase" => Self::Uppercase,
            _ => return None,
        })
    }
}

/// A step as it is written in a configuration.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// What is done.
    pub action: Action,
    /// Labels whose values are joined.
    pub source_labels: &'a [String],
    /// Between them.
    pub separator: &'a str,
    /// What the joined values are held against, as a whole.
    pub regex: &'a str,
    /// For [`Action::HashMod`].
    pub modulus: u64,
    /// The label that is written.
    pub target_label: &'a str,
    /// What is written; `$1` is the first group.
    pub replacement: &'a str,
}

/// Why a step cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RelabelError {
    /// The expression is none.
    #[error("regex {0:?} is no regular expression")]
    Regex(String),
    /// The expression is too long or too large.
    #[error("the regex is too long or too large; write a shorter one")]
    Large,
    /// The label that is written is not named.
    #[error("{0} needs a target_label")]
    Target(&'static str),
    /// The labels that are read are not named.
    #[error("{0} needs source_labels")]
    Source(&'static str),
    /// A sum modulo 0.
    #[error("hashmod needs a modulus above 0")]
    Modulus,
}

/// Steps that can be applied.
#[derive(Clone, Debug, Default)]
pub struct Relabel(Vec<Compiled>);

#[derive(Clone, Debug)]
struct Compiled {
    action: Action,
    source_labels: Vec<String>,
    separator: String,
    /// `None`: anything, as a whole.
    regex: Option<Regex>,
    modulus: u64,
    target: String,
    replacement: String,
}

impl Relabel {
    /// Compiles steps.
    ///
    /// # Errors
    /// The number of the first step that cannot be used, from 0, and why.
    pub fn new<'a>(steps: impl IntoIterator<Item = Step<'a>>) -> Result<Self, (usize, RelabelError)> {
        let compile = |(number, step): (usize, Step<'a>)| compile(&step).map_err(|error| (number, error));
        steps.into_iter().enumerate().map(compile).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is no step.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Applies the steps; `false`: what has these labels is dropped.
    pub fn apply(&self, labels: &mut LabelsBuilder) -> bool {
        self.0.iter().all(|step| step.apply(labels))
    }
}

fn compile(step: &Step<'_>) -> Result<Compiled, RelabelError> {
    use Action::{DropEqual, HashMod, KeepEqual, Lowercase, Replace, Uppercase};
    let action = step.action;
    let named = match action {
        Replace => Some("replace"),
        HashMod => Some("hashmod"),
        Lowercase => Some("lowercase"),
        Uppercase => Some("uppercase"),
        KeepEqual => Some("keepequal"),
        DropEqual => Some("dropequal"),
        _ => None,
    };
    if let Some(name) = named {
        if step.target_label.is_empty() {
            return Err(RelabelError::Target(name));
        }
        if matches!(action, KeepEqual | DropEqual) && step.source_labels.is_empty() {
            return Err(RelabelError::Source(name));
        }
    }
    if action == HashMod && step.modulus == 0 {
        return Err(RelabelError::Modulus);
    }
    Ok(Compiled {
        action,
        source_labels: step.source_labels.to_vec(),
        separator: step.separator.to_owned(),
        regex: anchored(step.regex)?,
        modulus: step.modulus,
        target: step.target_label.to_owned(),
        replacement: step.replacement.to_owned(),
    })
}

fn anchored(regex: &str) -> Result<Option<Regex>, RelabelError> {
    if regex.len() > MAX_REGEX {
        return Err(RelabelError::Large);
    }
    if regex == "(.*)" {
        return Ok(None);
    }
    // Held against alone too, so that `a)(b` cannot close the group.
    let shown = || RelabelError::Regex(regex.chars().take(200).collect());
    let build = |text: &str| RegexBuilder::new(text).size_limit(MAX_COMPILED).build();
    let error = |error| match error {
        regex::Error::CompiledTooBig(_) => RelabelError::Large,
        _ => shown(),
    };
    build(regex).map_err(error)?;
    build(&format!("^(?s:{regex})$")).map(Some).map_err(error)
}

impl Compiled {
    fn apply(&self, labels: &mut LabelsBuilder) -> bool {
        match self.action {
            Action::Keep => return self.matches(&self.value(labels)),
            Action::Drop => return !self.matches(&self.value(labels)),
            Action::KeepEqual => return self.value(labels) == labels.get(&self.target).unwrap_or_default(),
            Action::DropEqual => return self.value(labels) != labels.get(&self.target).unwrap_or_default(),
            Action::Replace => self.replace(labels),
            Action::Lowercase => set(labels, &self.target, self.value(labels).to_lowercase()),
            Action::Uppercase => set(labels, &self.target, self.value(labels).to_uppercase()),
            Action::HashMod => {
                let sum: [u8; 16] = Md5::digest(self.value(labels).as_bytes()).into();
                let half = sum.last_chunk().map_or(0, |half| u64::from_be_bytes(*half));
                set(labels, &self.target, (half % self.modulus.max(1)).to_string());
            }
            Action::LabelMap => {
                let copies: Vec<_> = labels
                    .iter()
                    .filter_map(|(name, value)| Some((self.mapped(name)?, value.to_owned())))
                    .collect();
                for (name, value) in copies {
                    set(labels, &name, value);
                }
            }
            Action::LabelDrop => {
                labels.retain(|name, _| !self.matches(name));
            }
            Action::LabelKeep => {
                labels.retain(|name, _| self.matches(name));
            }
        }
        true
    }

    fn matches(&self, text: &str) -> bool {
        self.regex.as_ref().is_none_or(|regex| regex.is_match(text))
    }

    fn replace(&self, labels: &mut LabelsBuilder) {
        let value = self.value(labels);
        let (target, value) = (self.expanded(&self.target, &value), self.expanded(&self.replacement, &value));
        if let (Some(target), Some(value)) = (target, value) {
            set(labels, &target, value);
        }
    }

    fn mapped(&self, name: &str) -> Option<String> {
        self.expanded(&self.replacement, name)
    }

    /// `template` with the groups of the match in `text`; `None` when nothing matches.
    fn expanded(&self, template: &str, text: &str) -> Option<String> {
        let Some(regex) = &self.regex else { return Some(whole(template, text)) };
        let captures = regex.captures(text)?;
        let mut out = String::new();
        captures.expand(template, &mut out);
        Some(out)
    }

    fn value<'a>(&self, labels: &'a LabelsBuilder) -> Cow<'a, str> {
        let get = |name: &String| labels.get(name).unwrap_or_default();
        match self.source_labels.as_slice() {
            [one] => get(one).into(),
            several => several.iter().map(get).collect::<Vec<_>>().join(&self.separator).into(),
        }
    }
}

/// The template where the expression is `(.*)`, which needs no machine.
fn whole(template: &str, text: &str) -> String {
    match template {
        "$1" | "${1}" | "$0" => text.to_owned(),
        _ if !template.contains('$') => template.to_owned(),
        _ => {
            let mut out = String::new();
            let expand = Regex::new("^((?s:.*))$")
                .ok()
                .and_then(|it| it.captures(text).map(|it| it.expand(template, &mut out)));
            if expand.is_some() { out } else { template.to_owned() }
        }
    }
}

fn set(labels: &mut LabelsBuilder, name: &str, value: String) {
    if !name.is_empty() {
        labels.set(name, value);
    }
}

#[cfg(test)]
mod tests;
