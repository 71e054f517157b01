/// What a store counts as it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Series that got samples lately.
    pub series: usize,
    /// Samples that were taken.
    pub accepted: u64,
    /// Samples refused because another value is at their time.
    pub duplicate: u64,
    /// Samples refused because they are too old.
    pub too_old: u64,
    /// Samples refused because there are too many series.
    pub too_many: u64,
    /// Samples that were taken but could not be written to the log.
    pub unlogged: u64,
    /// Bytes of the log.
    pub log_bytes: u64,
    /// Bytes of the segments.
    pub segment_bytes: u64,
    /// Samples in the segments.
    pub segment_samples: u64,
    /// How many segments there are.
    pub segments: usize,
}

/// What a store has in memory. Finding it out looks at every series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Chunks.
    pub chunks: usize,
    /// Bytes of them.
    pub chunk_bytes: usize,
    /// Time of the oldest sample, those in segments included.
    pub oldest_ms: Option<i64>,
    /// Time of the newest sample.
    pub newest_ms: Option<i64>,
    /// Metrics with the most series, the largest first.
    pub largest: Vec<(String, usize)>,
}
