use super::Expr;
use crate::ValueKind;

/// A function, by what it needs to be evaluated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Function {
    /// Of each value on its own.
    Pointwise(Pointwise),
    /// Of the samples of each series in a range.
    Range(RangeFunction),
    /// A part of a date: of the values, or of the time.
    Date(DatePart),
    Absent,
    AbsentOverTime,
    Clamp,
    ClampMax,
    ClampMin,
    Round,
    HistogramQuantile,
    HistogramQuantiles,
    HistogramFraction,
    /// A function of native histograms: numbers have none of that.
    OfNativeHistograms,
    LabelReplace,
    LabelJoin,
    Scalar,
    Vector,
    Sort,
    SortDesc,
    SortByLabel,
    SortByLabelDesc,
    Time,
    Timestamp,
    /// A number that does not change.
    Constant(f64),
    QueryStart,
    QueryEnd,
    QueryRange,
    QueryStep,
    MaxOf,
    MinOf,
}

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pointwise {
    Abs,
    Acos,
    Acosh,
    Asin,
    Asinh,
    Atan,
    Atanh,
    Ceil,
    Cos,
    Cosh,
    Deg,
    Exp,
    Floor,
    Ln,
    Log10,
    Log2,
    Rad,
    Sgn,
    Sin,
    Sinh,
    Sqrt,
    Tan,
    Tanh,
}

/// A function of samples in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RangeFunction {
    Avg,
    Changes,
    Count,
    Delta,
    Deriv,
    DoubleExponentialSmoothing,
    First,
    Idelta,
    Increase,
    Irate,
    Last,
    Mad,
    Max,
    Min,
    PredictLinear,
    Present,
    Quantile,
    Rate,
    Resets,
    Stddev,
    Stdvar,
    Sum,
    TimeOfFirst,
    TimeOfLast,
    TimeOfMax,
    TimeOfMin,
}

/// A part of a date in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DatePart {
    DaysInMonth,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hour,
    Minute,
    Month,
    Year,
}

impl Function {
    /// The function with this name, if there is one.
    pub(super) fn named(name: &str) -> Option<Self> {
        pointwise(name)
            .map(Self::Pointwise)
            .or_else(|| range(name).map(Self::Range))
            .or_else(|| date(name).map(Self::Date))
            .or_else(|| other(name))
    }

    pub(super) fn kind(self) -> ValueKind {
        match self {
            Self::Scalar
            | Self::Time
            | Self::Constant(_)
            | Self::QueryStart
            | Self::QueryEnd
            | Self::QueryRange
            | Self::QueryStep
            | Self::MaxOf
            | Self::MinOf => ValueKind::Scalar,
            _ => ValueKind::Vector,
        }
    }

    /// Whether its value depends on the time of evaluation, not only on what it is given.
    pub(super) fn reads_clock(self, args: &[Expr], of_selector: bool) -> bool {
        match self {
            Self::Time | Self::Range(RangeFunction::PredictLinear) => true,
            Self::Date(_) => args.is_empty(),
            Self::Timestamp => !of_selector,
            _ => false,
        }
    }
}

fn pointwise(name: &str) -> Option<Pointwise> {
    Some(match name {
        "abs" => Pointwise::Abs,
        "acos" => Pointwise::Acos,
        "acosh" => Pointwise::Acosh,
        "asin" => Pointwise::Asin,
        "asinh" => Pointwise::Asinh,
        "atan" => Pointwise::Atan,
        "atanh" => Pointwise::Atanh,
        "ceil" => Pointwise::Ceil,
        "cos" => Pointwise::Cos,
        "cosh" => Pointwise::Cosh,
        "deg" => Pointwise::Deg,
        "exp" => Pointwise::Exp,
        "floor" => Pointwise::Floor,
        "ln" => Pointwise::Ln,
        "log10" => Pointwise::Log10,
        "log2" => Pointwise::Log2,
        "rad" => Pointwise::Rad,
        "sgn" => Pointwise::Sgn,
        "sin" => Pointwise::Sin,
        "sinh" => Pointwise::Sinh,
        "sqrt" => Pointwise::Sqrt,
        "tan" => Pointwise::Tan,
        "tanh" => Pointwise::Tanh,
        _ => return None,
    })
}

fn range(name: &str) -> Option<RangeFunction> {
    Some(match name {
        "avg_over_time" => RangeFunction::Avg,
        "changes" => RangeFunction::Changes,
        "count_over_time" => RangeFunction::Count,
        "delta" => RangeFunction::Delta,
        "deriv" => RangeFunction::Deriv,
        "double_exponential_smoothing" | "holt_winters" => RangeFunction::DoubleExponentialSmoothing,
        "first_over_time" => RangeFunction::First,
        "idelta" => RangeFunction::Idelta,
        "increase" => RangeFunction::Increase,
        "irate" => RangeFunction::Irate,
        "last_over_time" => RangeFunction::Last,
        "mad_over_time" => RangeFunction::Mad,
        "max_over_time" => RangeFunction::Max,
        "min_over_time" => RangeFunction::Min,
        "predict_linear" => RangeFunction::PredictLinear,
        "present_over_time" => RangeFunction::Present,
        "quantile_over_time" => RangeFunction::Quantile,
        "rate" => RangeFunction::Rate,
        "resets" => RangeFunction::Resets,
        "stddev_over_time" => RangeFunction::Stddev,
        "stdvar_over_time" => RangeFunction::Stdvar,
        "sum_over_time" => RangeFunction::Sum,
        "ts_of_first_over_time" => RangeFunction::TimeOfFirst,
        "ts_of_last_over_time" => RangeFunction::TimeOfLast,
        "ts_of_max_over_time" => RangeFunction::TimeOfMax,
        "ts_of_min_over_time" => RangeFunction::TimeOfMin,
        _ => return None,
    })
}

fn date(name: &str) -> Option<DatePart> {
    Some(match name {
        "days_in_month" => DatePart::DaysInMonth,
        "day_of_month" => DatePart::DayOfMonth,
        "day_of_week" => DatePart::DayOfWeek,
        "day_of_year" => DatePart::DayOfYear,
        "hour" => DatePart::Hour,
        "minute" => DatePart::Minute,
        "month" => DatePart::Month,
        "year" => DatePart::Year,
        _ => return None,
    })
}

fn other(name: &str) -> Option<Function> {
    Some(match name {
        "absent" => Function::Absent,
        "absent_over_time" => Function::AbsentOverTime,
        "clamp" => Function::Clamp,
        "clamp_max" => Function::ClampMax,
        "clamp_min" => Function::ClampMin,
        "round" => Function::Round,
        "histogram_quantile" => Function::HistogramQuantile,
        "histogram_quantiles" => Function::HistogramQuantiles,
        "histogram_fraction" => Function::HistogramFraction,
        "histogram_avg" | "histogram_count" | "histogram_sum" | "histogram_stddev" | "histogram_stdvar"
        | "start_timestamp" => Function::OfNativeHistograms,
        "label_replace" => Function::LabelReplace,
        "label_join" => Function::LabelJoin,
        "scalar" => Function::Scalar,
        "vector" => Function::Vector,
        "sort" => Function::Sort,
        "sort_desc" => Function::SortDesc,
        "sort_by_label" => Function::SortByLabel,
        "sort_by_label_desc" => Function::SortByLabelDesc,
        "time" => Function::Time,
        "timestamp" => Function::Timestamp,
        "pi" => Function::Constant(std::f64::consts::PI),
        "start" => Function::QueryStart,
        "end" => Function::QueryEnd,
        "range" => Function::QueryRange,
        "step" => Function::QueryStep,
        "max_of" => Function::MaxOf,
        "min_of" => Function::MinOf,
        _ => return None,
    })
}
