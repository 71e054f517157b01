//! From the parser's tree to the planned expression; the only place that knows the parser.

use std::panic::catch_unwind;
use std::time::Duration;

use ops_samples::NAME;
use ops_series::{MatchOp, Matcher};
use promql_parser::label as parsed_label;
use promql_parser::parser as parsed;

use super::{
    Aggregate, Aggregation, At, Call, Chain, Expr, Function, Link, Many, Matching, Operator, Ranged,
    Selected, Subquery, check, escape, escape::literal_braces,
};
use crate::ParseError;

/// How deep an expression may be, operators in a row not counted.
const MAX_DEPTH: usize = 256;

/// Longest duration and farthest time, in milliseconds: some 30,000 years, so that sums of them cannot overflow.
const MAX_MS: i64 = 1_000_000_000_000_000;

/// The step of a subquery that names none: Prometheus' default evaluation interval.
const DEFAULT_STEP_MS: i64 = 60_000;

/// Parses, checks and plans a text.
pub(crate) fn parse(text: &str) -> Result<Expr, ParseError> {
    check::check(text)?;
    let text = &*escape::characters(text);
    // The parser panics on durations that are no durations, such as `[Inf]`.
    let parsed = catch_unwind(|| parsed::parse(text));
    let parsed = parsed.map_err(|_| error("a duration or a number is out of bounds"))?;
    let parsed = parsed.map_err(|reason| error(in_words(reason.trim())))?;
    expr(&parsed, 0)
}

/// The parser does not always say what is wrong.
fn in_words(reason: &str) -> &str {
    match reason {
        "invalid promql query" => {
            "it is not PromQL: an operator, a comma or an operand is missing, or a word is misplaced"
        }
        reason => reason,
    }
}

fn error(reason: impl Into<String>) -> ParseError {
    ParseError { reason: reason.into() }
}

fn expr(from: &parsed::Expr, depth: usize) -> Result<Expr, ParseError> {
    let depth = depth + 1;
    if depth > MAX_DEPTH {
        return Err(error(format!("the expression is nested more than {MAX_DEPTH} levels deep")));
    }
    Ok(match from {
        parsed::Expr::NumberLiteral(number) => Expr::Number(number.val),
        parsed::Expr::StringLiteral(text) => Expr::Text(text.val.clone()),
        parsed::Expr::Paren(inner) => expr(&inner.expr, depth)?,
        parsed::Expr::Unary(inner) => negate(expr(&inner.expr, depth)?)?,
        parsed::Expr::VectorSelector(it) => Expr::Selector(selected(it)?),
        parsed::Expr::MatrixSelector(it) => {
            Expr::Range(Ranged { series: selected(&it.vs)?, range_ms: positive(it.range)? })
        }
        parsed::Expr::Subquery(it) => Expr::Subquery(Box::new(subquery(it, depth)?)),
        parsed::Expr::Binary(it) => Expr::Chain(Box::new(chain(it, depth)?)),
        parsed::Expr::Aggregate(it) => Expr::Aggregate(Box::new(aggregate(it, depth)?)),
        parsed::Expr::Call(it) => Expr::Call(Box::new(call(it, depth)?)),
        parsed::Expr::Extension(_) => return Err(error("extensions of the language are not supported")),
    })
}

fn negate(inner: Expr) -> Result<Expr, ParseError> {
    match inner {
        Expr::Number(number) => Ok(Expr::Number(-number)),
        Expr::Text(_) => Err(error(
            "unary expression only allowed on expressions of type scalar or instant vector, got \"string\"",
        )),
        Expr::Range(_) | Expr::Subquery(_) => Err(error(
            "unary expression only allowed on expressions of type scalar or instant vector, got \"range vector\"",
        )),
        inner => Ok(Expr::Negate(Box::new(inner))),
    }
}

fn selected(from: &parsed::VectorSelector) -> Result<Selected, ParseError> {
    if !from.matchers.or_matchers.is_empty() {
        return Err(error(
            "`or` between the conditions of a selector is not PromQL: use `or` between two selectors",
        ));
    }
    let name = from.name.iter().map(|name| Ok(Matcher::equal(NAME, name)));
    let matchers = name.chain(from.matchers.matchers.iter().map(matcher)).collect::<Result<Vec<_>, _>>()?;
    if matchers.iter().all(|it| it.matches("")) {
        return Err(error("vector selector must contain at least one non-empty matcher"));
    }
    Ok(Selected { matchers, offset_ms: offset(from.offset.as_ref())?, at: at(from.at.as_ref())? })
}

fn matcher(from: &parsed_label::Matcher) -> Result<Matcher, ParseError> {
    let op = match from.op {
        parsed_label::MatchOp::Equal => MatchOp::Equal,
        parsed_label::MatchOp::NotEqual => MatchOp::NotEqual,
        parsed_label::MatchOp::Re(_) => MatchOp::Regex,
        parsed_label::MatchOp::NotRe(_) => MatchOp::NotRegex,
    };
    let matcher = Matcher::new(&from.name, op, &from.value);
    // In Go's expressions braces that do not repeat stand for themselves.
    let matcher =
        matcher.or_else(|wrong| Matcher::new(&from.name, op, literal_braces(&from.value)).map_err(|_| wrong));
    matcher.map_err(|wrong| error(wrong.to_string()))
}

fn subquery(from: &parsed::SubqueryExpr, depth: usize) -> Result<Subquery, ParseError> {
    let step_ms = match from.step {
        Some(step) => positive(step)?,
        None => DEFAULT_STEP_MS,
    };
    Ok(Subquery {
        expr: expr(&from.expr, depth)?,
        range_ms: positive(from.range)?,
        step_ms,
        offset_ms: offset(from.offset.as_ref())?,
        at: at(from.at.as_ref())?,
    })
}

fn milliseconds(duration: Duration) -> Result<i64, ParseError> {
    let ms = i64::try_from(duration.as_millis()).ok().filter(|ms| *ms <= MAX_MS);
    ms.ok_or_else(|| error("duration out of range"))
}

fn positive(duration: Duration) -> Result<i64, ParseError> {
    match milliseconds(duration)? {
        0 => Err(error("duration must be greater than 0")),
        ms => Ok(ms),
    }
}

fn offset(from: Option<&parsed::Offset>) -> Result<i64, ParseError> {
    match from {
        None => Ok(0),
        Some(parsed::Offset::Pos(duration)) => milliseconds(*duration),
        Some(parsed::Offset::Neg(duration)) => Ok(-milliseconds(*duration)?),
    }
}

/// The parser holds times as the system's; no clock is read here.
#[allow(clippy::disallowed_types)]
fn at(from: Option<&parsed::AtModifier>) -> Result<Option<At>, ParseError> {
    Ok(match from {
        None => None,
        Some(parsed::AtModifier::Start) => Some(At::Start),
        Some(parsed::AtModifier::End) => Some(At::End),
        Some(parsed::AtModifier::At(time)) => {
            Some(At::Ms(match time.duration_since(std::time::SystemTime::UNIX_EPOCH) {
                Ok(since) => milliseconds(since)?,
                Err(before) => -milliseconds(before.duration())?,
            }))
        }
    })
}

/// Operators that stand one in the other on the left are put in a row.
fn chain(from: &parsed::BinaryExpr, depth: usize) -> Result<Chain, ParseError> {
    let mut spine = vec![from];
    let mut left = &*from.lhs;
    while let parsed::Expr::Binary(inner) = left {
        spine.push(inner);
        left = &inner.lhs;
    }
    let first = expr(left, depth)?;
    let links = spine.iter().rev().map(|it| link(it, depth)).collect::<Result<_, _>>()?;
    Ok(Chain { first, links })
}

fn link(from: &parsed::BinaryExpr, depth: usize) -> Result<Link, ParseError> {
    let right = expr(&from.rhs, depth)?;
    let operator = match from.op.to_string().as_str() {
        "+" => Operator::Add,
        "-" => Operator::Subtract,
        "*" => Operator::Multiply,
        "/" => Operator::Divide,
        "%" => Operator::Modulo,
        "^" => Operator::Power,
        "atan2" => Operator::Atan2,
        "==" => Operator::Equal,
        "!=" => Operator::NotEqual,
        ">" => Operator::Greater,
        "<" => Operator::Less,
        ">=" => Operator::GreaterOrEqual,
        "<=" => Operator::LessOrEqual,
        "and" => Operator::And,
        "or" => Operator::Or,
        "unless" => Operator::Unless,
        other => return Err(error(format!("the operator {other:?} is not supported"))),
    };
    let matching = from.modifier.as_ref().map(matching).unwrap_or_default();
    let boolean = from.modifier.as_ref().is_some_and(|it| it.return_bool);
    Ok(Link { operator, boolean, matching, right })
}

fn matching(from: &parsed::BinModifier) -> Matching {
    let (on, labels) = match &from.matching {
        Some(parsed::LabelModifier::Include(labels)) => (true, ordered(labels)),
        Some(parsed::LabelModifier::Exclude(labels)) => (false, ordered(labels)),
        None => (false, Vec::new()),
    };
    let many = match from.card {
        parsed::VectorMatchCardinality::ManyToOne(_) => Many::Left,
        parsed::VectorMatchCardinality::OneToMany(_) => Many::Right,
        _ => Many::None,
    };
    let include = from.card.labels().map(|labels| labels.labels.clone()).unwrap_or_default();
    let (fill_left, fill_right) = (from.fill_values.lhs, from.fill_values.rhs);
    Matching { on, labels, many, include, fill_left, fill_right }
}

fn ordered(from: &parsed_label::Labels) -> Vec<String> {
    let mut labels = from.labels.clone();
    labels.sort();
    labels.dedup();
    labels
}

fn aggregate(from: &parsed::AggregateExpr, depth: usize) -> Result<Aggregate, ParseError> {
    let aggregation = match from.op.to_string().as_str() {
        "sum" => Aggregation::Sum,
        "avg" => Aggregation::Avg,
        "min" => Aggregation::Min,
        "max" => Aggregation::Max,
        "count" => Aggregation::Count,
        "group" => Aggregation::Group,
        "stddev" => Aggregation::Stddev,
        "stdvar" => Aggregation::Stdvar,
        "quantile" => Aggregation::Quantile,
        "count_values" => Aggregation::CountValues,
        "topk" => Aggregation::Topk,
        "bottomk" => Aggregation::Bottomk,
        "limitk" => Aggregation::Limitk,
        "limit_ratio" => Aggregation::LimitRatio,
        other => return Err(error(format!("the aggregation {other:?} is not supported"))),
    };
    let (without, labels) = match &from.modifier {
        Some(parsed::LabelModifier::Include(labels)) => (false, ordered(labels)),
        Some(parsed::LabelModifier::Exclude(labels)) => (true, ordered(labels)),
        None => (false, Vec::new()),
    };
    let param = from.param.as_ref().map(|param| expr(param, depth)).transpose()?;
    Ok(Aggregate { aggregation, param, expr: expr(&from.expr, depth)?, without, labels })
}

fn call(from: &parsed::Call, depth: usize) -> Result<Call, ParseError> {
    let name = from.func.name;
    let function =
        Function::named(name).ok_or_else(|| error(format!("the function {name}() is not supported")))?;
    let args = from.args.args.iter().map(|arg| expr(arg, depth)).collect::<Result<Vec<_>, _>>()?;
    Ok(Call { function, args })
}
