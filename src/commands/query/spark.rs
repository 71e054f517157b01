//! A series in one line of text.

/// Most characters of a line.
const WIDTH: usize = 60;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// First and last time of all points.
pub(super) fn bounds<'a>(points: impl Iterator<Item = &'a (f64, String)>) -> (f64, f64) {
    points.fold((f64::INFINITY, f64::NEG_INFINITY), |(from, to), (at, _)| (from.min(*at), to.max(*at)))
}

/// Draws points between `from` and `to`: the mean of each part, from the least to the most; gaps stay empty.
pub(super) fn line(points: &[(f64, String)], from: f64, to: f64) -> String {
    let parts = WIDTH.min(points.len().max(1));
    let mut sums = vec![(0.0, 0u32); parts];
    for (at, value) in points {
        let Ok(value) = value.parse::<f64>() else { continue };
        let share = if to > from { (at - from) / (to - from) } else { 0.0 };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 60")]
        let place = ((share * (parts - 1) as f64).round().max(0.0)) as usize;
        if let Some((sum, count)) = sums.get_mut(place).filter(|_| value.is_finite()) {
            *sum += value;
            *count += 1;
        }
    }
    let means: Vec<Option<f64>> =
        sums.iter().map(|(sum, count)| (*count > 0).then(|| sum / f64::from(*count))).collect();
    let least = means.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    let most = means.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    means.into_iter().map(|mean| mean.map_or(' ', |mean| bar(mean, least, most))).collect()
}

fn bar(value: f64, least: f64, most: f64) -> char {
    let share = if most > least { (value - least) / (most - least) } else { 0.0 };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 7")]
    let height = (share * 7.0).round().clamp(0.0, 7.0) as usize;
    BARS.get(height).copied().unwrap_or('▁')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[&str]) -> String {
        let points: Vec<_> = (0..).map(f64::from).zip(values.iter().map(|it| (*it).to_owned())).collect();
        let (from, to) = bounds(points.iter());
        line(&points, from, to)
    }

    #[test]
    fn a_line_rises_with_its_values_and_leaves_gaps() {
        assert_eq!(drawn(&["0", "1", "2", "3", "4", "5", "6", "7"]), "▁▂▃▄▅▆▇█");
        assert_eq!(drawn(&["1", "NaN", "1"]), "▁ ▁");
        assert_eq!(drawn(&[]), " ");
        assert_eq!(drawn(&["+Inf"]), " ");
        assert_eq!(line(&[(0.0, "1".to_owned()), (10.0, "2".to_owned())], 0.0, 20.0).chars().count(), 2);
    }

    #[test]
    fn a_long_range_is_no_longer_than_a_line() {
        let points: Vec<_> = (0..5000).map(|at| (f64::from(at), at.to_string())).collect();
        assert_eq!(line(&points, 0.0, 4999.0).chars().count(), WIDTH);
    }
}
