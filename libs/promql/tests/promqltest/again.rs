//! Writes `@` behind every selector of an expression, so that it has the same value whenever it is evaluated.

use std::time::Duration;

use promql_parser::parser::{self, AtModifier, Expr};

/// Functions whose value depends on when they are evaluated in any case.
const UNSAFE: [&str; 14] = [
    "days_in_month",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "hour",
    "minute",
    "month",
    "year",
    "predict_linear",
    "time",
    "timestamp",
    "start",
    "end",
    "range",
];

/// The expression with `@`, if that is possible.
pub(crate) fn with_at(text: &str, at_ms: i64) -> Option<String> {
    let mut expr = parser::parse(text).ok()?;
    fix(&mut expr, at_ms)?;
    Some(expr.to_string())
}

/// The parser holds times as the system's; no clock is read here.
#[allow(clippy::disallowed_types)]
fn modifier(at_ms: i64) -> AtModifier {
    let distance = Duration::from_millis(at_ms.unsigned_abs());
    let epoch = std::time::SystemTime::UNIX_EPOCH;
    AtModifier::At(if at_ms < 0 { epoch - distance } else { epoch + distance })
}

fn fix(expr: &mut Expr, at_ms: i64) -> Option<()> {
    match expr {
        Expr::VectorSelector(it) => {
            it.at.get_or_insert_with(|| modifier(at_ms));
        }
        Expr::MatrixSelector(it) => {
            it.vs.at.get_or_insert_with(|| modifier(at_ms));
        }
        // What is inside of a subquery is evaluated at its own times.
        Expr::Subquery(it) => {
            it.at.get_or_insert_with(|| modifier(at_ms));
        }
        Expr::Unary(it) => fix(&mut it.expr, at_ms)?,
        Expr::Paren(it) => fix(&mut it.expr, at_ms)?,
        Expr::Binary(it) => {
            fix(&mut it.lhs, at_ms)?;
            fix(&mut it.rhs, at_ms)?;
        }
        Expr::Aggregate(it) => {
            fix(&mut it.expr, at_ms)?;
            if let Some(param) = &mut it.param {
                fix(param, at_ms)?;
            }
        }
        Expr::Call(it) => {
            if UNSAFE.contains(&it.func.name) || it.func.name == "step" {
                return None;
            }
            for arg in &mut it.args.args {
                fix(arg, at_ms)?;
            }
        }
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
    Some(())
}
