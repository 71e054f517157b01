//! What a template is made of.

use std::sync::Arc;

use super::value::Value;

/// One element of a template.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    /// `{{ pipeline }}`.
    Action(Pipeline),
    /// `{{ if }}`: the first branch that holds.
    If(Branch),
    /// `{{ with }}`: as `if`, with the value as dot.
    With(Branch),
    /// `{{ range }}`.
    Range(Branch),
    /// `{{ template "name" pipeline }}`.
    Template(String, Option<Pipeline>),
    Break,
    Continue,
}

/// A condition or a collection, and what is rendered for it or else.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) pipeline: Pipeline,
    pub(super) then: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

/// Commands, each given the value of the one before it as last argument.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipeline {
    /// Variables that take its value; of `range` up to two.
    pub(super) variables: Vec<String>,
    /// They exist already: `=` instead of `:=`.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

/// A function and its arguments, or one value.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) head: Operand,
    pub(super) arguments: Vec<Operand>,
}

/// Something with a value.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Dot,
    Constant(Value),
    /// `.a.b`.
    Field(Vec<String>),
    /// `$x.a.b`.
    Variable(String, Vec<String>),
    /// `(pipeline).a.b`, `function.a.b`.
    Chain(Box<Operand>, Vec<String>),
    Function(Arc<str>),
    Paren(Box<Pipeline>),
}

impl Operand {
    /// Whether another value may be sent into it.
    pub(super) fn is_executable(&self) -> bool {
        !matches!(self, Self::Dot | Self::Constant(_))
    }
}
