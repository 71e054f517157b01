use ops_samples::Sample;

use super::super::engine::Grid;
use super::{rate, statistic};
use crate::plan::RangeFunction;

/// The ranges of all steps.
pub(crate) struct Windows {
    first: i64,
    step_ms: i64,
    pub(super) range_ms: i64,
}

impl Windows {
    pub(super) fn new(first: i64, last: i64, range_ms: i64, grid: Grid) -> Self {
        // `@` fixes one range for all steps.
        let step_ms = if first == last { 0 } else { grid.step_ms };
        Self { first, step_ms, range_ms }
    }

    /// When the range of a step ends.
    pub(super) fn end(&self, step: usize) -> i64 {
        self.first.saturating_add(self.step_ms.saturating_mul(i64::try_from(step).unwrap_or(i64::MAX)))
    }
}

/// The samples of one series in the range of one step; at least one, none of them a mark.
pub(super) struct Window<'a> {
    pub(super) samples: &'a [Sample],
    pub(super) end_ms: i64,
    pub(super) range_ms: i64,
    /// The time of the step.
    pub(super) at_ms: i64,
    pub(super) args: [f64; 2],
}

/// A function of a window; it may use the memory that it is handed as it likes.
pub(super) type Kernel = fn(&Window<'_>, &mut Vec<f64>) -> Option<f64>;

pub(super) fn kernel(function: RangeFunction) -> Kernel {
    match function {
        RangeFunction::Avg => statistic::avg,
        RangeFunction::Changes => statistic::changes,
        RangeFunction::Count => statistic::count,
        RangeFunction::Delta => rate::delta,
        RangeFunction::Deriv => rate::deriv,
        RangeFunction::DoubleExponentialSmoothing => statistic::double_exponential_smoothing,
        RangeFunction::First => statistic::first,
        RangeFunction::Idelta => rate::idelta,
        RangeFunction::Increase => rate::increase,
        RangeFunction::Irate => rate::irate,
        RangeFunction::Last => statistic::last,
        RangeFunction::Mad => statistic::mad,
        RangeFunction::Max => statistic::max,
        RangeFunction::Min => statistic::min,
        RangeFunction::PredictLinear => rate::predict_linear,
        RangeFunction::Present => statistic::present,
        RangeFunction::Quantile => statistic::quantile,
        RangeFunction::Rate => rate::rate,
        RangeFunction::Resets => statistic::resets,
        RangeFunction::Stddev => statistic::stddev,
        RangeFunction::Stdvar => statistic::stdvar,
        RangeFunction::Sum => statistic::sum,
        RangeFunction::TimeOfFirst => statistic::time_of_first,
        RangeFunction::TimeOfLast => statistic::time_of_last,
        RangeFunction::TimeOfMax => statistic::time_of_max,
        RangeFunction::TimeOfMin => statistic::time_of_min,
    }
}
