//! Templates of others than rules: the same language over values and functions that the caller gives.

use std::collections::BTreeSet;
use std::fmt;

use super::node::Node;
use super::parse::{self, Tree};
use super::value::Value;
use super::{TemplateError, functions, prometheus, run};

/// A value with fields and methods of its own.
pub trait Object: fmt::Debug + Send + Sync {
    /// Go's name of its type.
    fn kind(&self) -> &'static str;

    /// Whether it counts as true: for a collection whether there is something in it.
    fn is_true(&self) -> bool {
        self.count() != Some(0)
    }

    /// The value of a field, or of a method that is given `arguments`; `None` where there is none of this name.
    fn field(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, TemplateError>>;

    /// How much there is in a collection; `None` where it is none.
    fn count(&self) -> Option<usize> {
        None
    }

    /// Keys and values of a collection, in order; a list's keys are whole numbers from 0 on.
    fn items(&self) -> Vec<(Value, Value)> {
        Vec::new()
    }

    /// What `index` finds under a key that is not there; `None` when that is a fault.
    fn missing(&self) -> Option<Value> {
        None
    }

    /// As `print` shows it.
    fn text(&self) -> String;
}

/// The functions of a caller, beside those that every Go template has.
pub trait Functions {
    /// Whether there is a function of this name.
    fn knows(&self, name: &str) -> bool;

    /// Its value. A text may have `most` bytes.
    fn call(&self, name: &str, arguments: &[Value], most: usize) -> Result<Value, TemplateError>;
}

/// Some of the functions that rules have, for callers that have them too: texts, patterns, numbers for people.
pub const SHARED: [&str; 8] = [
    "reReplaceAll",
    "match",
    "toUpper",
    "toLower",
    "humanize",
    "humanize1024",
    "humanizeDuration",
    "humanizePercentage",
];

/// The value of one of [`SHARED`].
pub fn shared(name: &str, arguments: &[Value], most: usize) -> Result<Value, TemplateError> {
    prometheus::pure(name, arguments, most).unwrap_or_else(|| Err(prometheus::not_taken(name, arguments)))
}

/// Templates by name.
#[derive(Clone, Debug, Default)]
pub struct Library {
    tree: Tree,
}

/// How a text is rendered.
pub struct Rendering<'a> {
    /// Dot and `$`.
    pub data: Value,
    /// What can be called.
    pub functions: &'a dyn Functions,
    /// What is done to each value that is printed and not [`Value::Safe`].
    pub escape: &'a dyn Fn(&str) -> String,
}

impl Library {
    /// Adds what a text defines; a later definition replaces an earlier one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add(&mut self, text: &str, functions: &dyn Functions) -> Result<(), TemplateError> {
        let tree = parsed(text, functions)?;
        self.tree.named.extend(tree.named);
        Ok(())
    }

    /// Renders a text, which may use what it defines itself and what the library has.
    ///
    /// # Errors
    /// A fault in the text, a template that nobody defines, a function that fails, a value of the wrong kind, a bound.
    pub fn render(&self, text: &str, rendering: &Rendering<'_>) -> Result<String, TemplateError> {
        let tree = parsed(text, rendering.functions)?;
        run::render_hosted(&tree, &self.tree, rendering)
    }

    /// Templates that a text uses and nobody defines, through others too.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn undefined(&self, text: &str, functions: &dyn Functions) -> Result<Vec<String>, TemplateError> {
        let tree = parsed(text, functions)?;
        let mut seen = BTreeSet::new();
        let mut missing = BTreeSet::new();
        let mut left: Vec<&str> = Vec::new();
        used(&tree.root, &mut left);
        while let Some(name) = left.pop() {
            if !seen.insert(name) {
                continue;
            }
            match tree.named.get(name).or_else(|| self.tree.named.get(name)) {
                Some(nodes) => used(nodes, &mut left),
                None => {
                    missing.insert(name.to_owned());
                }
            }
        }
        Ok(missing.into_iter().collect())
    }
}

fn parsed(text: &str, functions: &dyn Functions) -> Result<Tree, TemplateError> {
    parse::parse(text, &[], &|name| functions::is_go(name) || functions.knows(name))
}

/// Names of the templates that are used somewhere in `nodes`.
fn used<'a>(nodes: &'a [Node], names: &mut Vec<&'a str>) {
    for node in nodes {
        match node {
            Node::Template(name, _) => names.push(name),
            Node::If(it) | Node::With(it) | Node::Range(it) => {
                used(&it.then, names);
                used(&it.otherwise, names);
            }
            _ => {}
        }
    }
}
