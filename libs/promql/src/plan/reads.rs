use ops_samples::NAME;
use ops_series::{MatchOp, Matcher};

use super::{Expr, Function, Selected};
use crate::{Reads, Selector};

/// What an expression reads.
pub(crate) fn reads(expr: &Expr) -> Reads {
    let mut reads = Reads::default();
    walk(expr, Context::default(), &mut reads);
    reads
}

/// What surrounds an expression.
#[derive(Clone, Copy, Default)]
struct Context {
    in_absent: bool,
    /// Of the subqueries around it, in milliseconds.
    range_ms: i64,
    offset_ms: i64,
}

fn walk(expr: &Expr, within: Context, reads: &mut Reads) {
    match expr {
        Expr::Number(_) | Expr::Text(_) => {}
        Expr::Selector(series) => add(series, None, within, reads),
        Expr::Range(range) => add(&range.series, Some(range.range_ms), within, reads),
        Expr::Subquery(sub) => {
            reads.depends_on_time |= sub.at.is_none();
            let range_ms = within.range_ms.saturating_add(sub.range_ms);
            let offset_ms = within.offset_ms.saturating_add(sub.offset_ms);
            walk(&sub.expr, Context { range_ms, offset_ms, ..within }, reads);
        }
        Expr::Negate(inner) => walk(inner, within, reads),
        Expr::Chain(chain) => {
            walk(&chain.first, within, reads);
            chain.links.iter().for_each(|link| walk(&link.right, within, reads));
        }
        Expr::Aggregate(it) => {
            it.param.iter().for_each(|param| walk(param, within, reads));
            walk(&it.expr, within, reads);
        }
        Expr::Call(call) => {
            let absent = matches!(call.function, Function::Absent | Function::AbsentOverTime);
            reads.depends_on_time |= absent || call.function.reads_clock(&call.args, true);
            let within = Context { in_absent: within.in_absent || absent, ..within };
            call.args.iter().for_each(|arg| walk(arg, within, reads));
        }
    }
}

fn add(series: &Selected, range_ms: Option<i64>, within: Context, reads: &mut Reads) {
    let range_ms = match (range_ms, within.range_ms) {
        (None, 0) => None,
        (own, around) => Some(own.unwrap_or(0).saturating_add(around)),
    };
    let offset_ms = series.offset_ms.saturating_add(within.offset_ms);
    reads.depends_on_time |= series.at.is_none() && (range_ms.is_some() || offset_ms != 0);
    match series.matchers.iter().find_map(names) {
        Some(names) => reads.names.extend(names),
        None => reads.any_name = true,
    }
    let matchers = series.matchers.clone();
    reads.selectors.push(Selector { matchers, range_ms, offset_ms, in_absent: within.in_absent });
}

/// The metrics that a condition allows, if it names them one by one.
fn names(matcher: &Matcher) -> Option<Vec<String>> {
    if matcher.name() != NAME || matcher.value().is_empty() {
        return None;
    }
    let value = matcher.value();
    match matcher.op() {
        MatchOp::Equal => Some(vec![value.to_owned()]),
        MatchOp::Regex => {
            let inner = value.strip_prefix('(').and_then(|it| it.strip_suffix(')')).unwrap_or(value);
            let inner = inner.strip_prefix("?:").unwrap_or(inner);
            let literal = |name: &&str| {
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
            };
            let names: Vec<&str> = inner.split('|').collect();
            let all = names.iter().all(literal);
            all.then(|| names.iter().map(|name| (*name).to_owned()).collect())
        }
        MatchOp::NotEqual | MatchOp::NotRegex => None,
    }
}
