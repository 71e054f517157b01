//! Scales of a picture, and the numbers beside them.

/// Above this ratio of largest to middle value a scale is logarithmic.
const WIDE: f64 = 50.0;
/// About so many ticks.
const TICKS: f64 = 6.0;

/// A vertical scale from zero on.
#[derive(Debug)]
pub(super) struct Axis {
    most: f64,
    /// Whether each decade takes the same room; zero stays at the bottom.
    pub(super) logarithmic: bool,
}

impl Axis {
    /// Wide enough for the values and the target.
    pub(super) fn over(values: impl Iterator<Item = f64>, target: Option<f64>) -> Self {
        let mut values: Vec<f64> = values.filter(|it| it.is_finite() && *it > 0.0).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.get(values.len() / 2).copied().unwrap_or(1.0).max(target.unwrap_or(0.0));
        let most = values.last().copied().unwrap_or(1.0).max(target.unwrap_or(0.0) * 1.2).max(1.0);
        let logarithmic = most / middle > WIDE;
        let most = if logarithmic { 10_f64.powf(most.log10().ceil()) } else { most * 1.05 };
        Self { most, logarithmic }
    }

    /// Where a value lies, from 0 at the bottom to 1 at the top.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = match self.logarithmic {
            true => value.max(0.0).ln_1p() / self.most.ln_1p(),
            false => value / self.most,
        };
        place.clamp(0.0, 1.0)
    }

    /// Values to write beside it.
    pub(super) fn ticks(&self) -> Vec<f64> {
        if self.logarithmic {
            let decades = self.most.log10() as i32;
            return std::iter::once(0.0).chain((0..=decades).map(|it| 10_f64.powi(it))).collect();
        }
        let step = round_step(self.most / TICKS);
        (0..).map(|it| f64::from(it) * step).take_while(|it| *it <= self.most).collect()
    }
}

/// 1, 2 or 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let times = [1.0, 2.0, 5.0, 10.0].into_iter().find(|times| times * power >= step).unwrap_or(10.0);
    times * power
}

/// Marks of a time axis in minutes, hours or days.
pub(super) fn hours(length_s: f64) -> Vec<(f64, String)> {
    let (unit_s, unit) = match length_s {
        _ if length_s > 3.0 * 86_400.0 => (86_400.0, "d"),
        _ if length_s > 3.0 * 3600.0 => (3600.0, "h"),
        _ => (60.0, "min"),
    };
    let step = round_step((length_s / unit_s / 8.0).max(0.1));
    let marks = (0..).map(|it| f64::from(it) * step).take_while(|it| it * unit_s <= length_s);
    marks.map(|it| (it * unit_s, format!("{} {unit}", number(it)))).collect()
}

/// As short as it can be said.
pub(super) fn number(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{}M", short(value / 1e6)),
        _ if value >= 1e4 => format!("{}k", short(value / 1e3)),
        _ => short(value),
    }
}

fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_with_a_lonely_peak_is_logarithmic() {
        let axis = Axis::over([1.0, 2.0, 3.0, 2000.0].into_iter(), None);
        assert!(axis.logarithmic);
        assert_eq!(axis.ticks(), [0.0, 1.0, 10.0, 100.0, 1000.0, 10_000.0]);
        assert!(!Axis::over([10.0, 20.0, 30.0].into_iter(), None).logarithmic);
    }

    #[test]
    fn the_target_is_always_on_the_scale() {
        let axis = Axis::over([0.0, 1.0].into_iter(), Some(30.0));
        assert!(axis.place(30.0) < 1.0 && axis.place(0.0) == 0.0);
    }

    #[test]
    fn marks_are_round() {
        let labels: Vec<String> = hours(86_400.0).into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["0 h", "5 h", "10 h", "15 h", "20 h"]);
        assert_eq!(hours(0.0).len(), 1);
        assert_eq!([0.5, 20.0, 12_000.0, 2e6].map(number), ["0.5", "20", "12k", "2M"]);
    }
}
