use std::collections::VecDeque;

use super::Spread;

/// How many jobs are remembered.
const KEPT: usize = 500;

/// The last figures of one kind, in seconds.
#[derive(Debug, Default)]
pub(super) struct Recent {
    values: VecDeque<f64>,
    /// Sorting five hundred figures for each of a thousand idle queues at each look would cost more than the look.
    known: Option<Spread>,
}

impl Recent {
    pub(super) fn push_ms(&mut self, ms: i64) {
        if self.values.len() == KEPT {
            self.values.pop_front();
        }
        self.values.push_back(ms.max(0) as f64 / 1e3);
        self.known = None;
    }

    pub(super) fn spread(&mut self) -> Option<Spread> {
        if self.known.is_none() && !self.values.is_empty() {
            self.known = Some(spread(self.values.iter().copied().collect()));
        }
        self.known
    }
}

/// Of at least one figure.
fn spread(mut values: Vec<f64>) -> Spread {
    values.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    // The smallest figure that so many of a hundred do not exceed.
    let at = |share: f64| values[((count * share).ceil() as usize).clamp(1, values.len()) - 1];
    Spread {
        count: values.len() as u32,
        mean_s: mean,
        p50_s: at(0.5),
        p95_s: at(0.95),
        max_s: at(1.0),
        cv2: if mean > 0.0 { variance / (mean * mean) } else { 0.0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_the_last_five_hundred() {
        let mut recent = Recent::default();
        assert_eq!(recent.spread(), None);
        recent.push_ms(9_000_000);
        for ms in 1..=500 {
            recent.push_ms(ms * 1000);
        }
        let spread = recent.spread().expect("there are figures");
        assert_eq!((spread.count, spread.p50_s, spread.p95_s, spread.max_s), (500, 250.0, 475.0, 500.0));
        assert!((spread.mean_s - 250.5).abs() < 1e-9 && (spread.cv2 - 0.332).abs() < 0.01, "{spread:?}");
    }

    #[test]
    fn jobs_that_take_no_time_spread_over_nothing() {
        let mut recent = Recent::default();
        recent.push_ms(0);
        recent.push_ms(-5);
        assert_eq!(recent.spread(), Some(Spread { count: 2, ..Spread::default() }));
    }
}
