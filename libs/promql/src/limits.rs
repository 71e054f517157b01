use std::time::Instant;

/// What one evaluation may use up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most samples in memory at once (Prometheus: 50,000,000).
    pub max_samples: usize,
    /// Most steps of a range query (Prometheus: 11,000).
    pub max_steps: usize,
    /// When it is given up; `None`: never.
    pub deadline: Option<Instant>,
    /// How far an instant selector looks back, in milliseconds (Prometheus: 5 min).
    pub lookback_ms: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_samples: 50_000_000, max_steps: 11_000, deadline: None, lookback_ms: 300_000 }
    }
}
