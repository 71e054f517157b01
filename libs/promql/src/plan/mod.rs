//! The planned expression: what is evaluated, independent of the parser that read it.

mod check;
mod convert;
mod escape;
mod function;
mod reads;
#[cfg(test)]
mod tests;

use ops_series::Matcher;

use crate::ValueKind;

pub(crate) use convert::parse;
pub(crate) use escape::{literal_braces, names_label, quoted};
pub(crate) use function::{DatePart, Function, Pointwise, RangeFunction};
pub(crate) use reads::reads;

/// An expression.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Number(f64),
    Text(String),
    Selector(Selected),
    Range(Ranged),
    Subquery(Box<Subquery>),
    Negate(Box<Expr>),
    Chain(Box<Chain>),
    Aggregate(Box<Aggregate>),
    Call(Box<Call>),
}

/// The time that `@` fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Start,
    End,
    Ms(i64),
}

/// The series that a selector names, and when it looks at them.
#[derive(Clone, Debug)]
pub(crate) struct Selected {
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) offset_ms: i64,
    pub(crate) at: Option<At>,
}

/// `up[5m]`
#[derive(Clone, Debug)]
pub(crate) struct Ranged {
    pub(crate) series: Selected,
    pub(crate) range_ms: i64,
}

/// `expr[1h:1m]`
#[derive(Clone, Debug)]
pub(crate) struct Subquery {
    pub(crate) expr: Expr,
    pub(crate) range_ms: i64,
    pub(crate) step_ms: i64,
    pub(crate) offset_ms: i64,
    pub(crate) at: Option<At>,
}

/// Operators one after the other, from the left: `first op right op right`. It is no tree, so that a long one is
/// not a deep one.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) first: Expr,
    pub(crate) links: Vec<Link>,
}

/// What follows on the left side of an operator.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) operator: Operator,
    /// A comparison that says 0 or 1.
    pub(crate) boolean: bool,
    pub(crate) matching: Matching,
    pub(crate) right: Expr,
}

/// An operator between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Atan2,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    And,
    Or,
    Unless,
}

impl Operator {
    pub(crate) fn compares(self) -> bool {
        use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        matches!(self, Equal | NotEqual | Greater | Less | GreaterOrEqual | LessOrEqual)
    }

    pub(crate) fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }
}

/// How series of both sides are matched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matching {
    /// `on`, not `ignoring`.
    pub(crate) on: bool,
    /// Ordered.
    pub(crate) labels: Vec<String>,
    pub(crate) many: Many,
    /// Labels that the side of the many takes over from the other.
    pub(crate) include: Vec<String>,
    /// What stands for a series that the left side lacks.
    pub(crate) fill_left: Option<f64>,
    /// What stands for a series that the right side lacks.
    pub(crate) fill_right: Option<f64>,
}

/// Which side may have several series for one of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Many {
    #[default]
    None,
    Left,
    Right,
}

/// `sum by (job) (up)`
#[derive(Clone, Debug)]
pub(crate) struct Aggregate {
    pub(crate) aggregation: Aggregation,
    pub(crate) param: Option<Expr>,
    pub(crate) expr: Expr,
    pub(crate) without: bool,
    /// Ordered.
    pub(crate) labels: Vec<String>,
}

/// What is done with the series of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregation {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    Group,
    Stddev,
    Stdvar,
    Quantile,
    CountValues,
    Topk,
    Bottomk,
    Limitk,
    LimitRatio,
}

/// A function and what it is given.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) function: Function,
    pub(crate) args: Vec<Expr>,
}

impl Expr {
    pub(crate) fn kind(&self) -> ValueKind {
        match self {
            Self::Number(_) => ValueKind::Scalar,
            Self::Text(_) => ValueKind::String,
            Self::Selector(_) | Self::Aggregate(_) => ValueKind::Vector,
            Self::Range(_) | Self::Subquery(_) => ValueKind::Matrix,
            Self::Negate(inner) => inner.kind(),
            Self::Chain(chain) => {
                let scalar = |expr: &Self| expr.kind() == ValueKind::Scalar;
                let all = scalar(&chain.first) && chain.links.iter().all(|link| scalar(&link.right));
                if all { ValueKind::Scalar } else { ValueKind::Vector }
            }
            Self::Call(call) => call.function.kind(),
        }
    }

    /// Whether it has the same value at every step, since `@` fixes all that it looks at.
    pub(crate) fn is_fixed(&self) -> bool {
        match self {
            Self::Number(_) | Self::Text(_) => true,
            Self::Selector(series) => series.at.is_some(),
            Self::Range(range) => range.series.at.is_some(),
            Self::Subquery(sub) => sub.at.is_some(),
            Self::Negate(inner) => inner.is_fixed(),
            Self::Chain(chain) => {
                chain.first.is_fixed() && chain.links.iter().all(|link| link.right.is_fixed())
            }
            Self::Aggregate(it) => it.expr.is_fixed() && it.param.as_ref().is_none_or(Self::is_fixed),
            Self::Call(call) => {
                let of_selector = matches!(call.args.as_slice(), [Self::Selector(_)]);
                !call.function.reads_clock(&call.args, of_selector) && call.args.iter().all(Self::is_fixed)
            }
        }
    }
}
