/// How series are kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long samples are kept, in milliseconds.
    pub retention_ms: i64,
    /// Most bytes on disk; the oldest go first.
    pub retention_bytes: u64,
    /// Most series that get samples.
    pub max_series: usize,
    /// How much older than the newest sample of its series another may be, in milliseconds.
    pub out_of_order_ms: i64,
    /// How much later than the newest sample an acknowledged one is on the disk, in milliseconds.
    pub sync_interval_ms: i64,
    /// The time that one segment covers, in milliseconds.
    pub segment_ms: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            retention_ms: 15 * 86_400_000,
            retention_bytes: 1 << 30,
            max_series: 500_000,
            out_of_order_ms: 300_000,
            sync_interval_ms: 1_000,
            segment_ms: 7_200_000,
        }
    }
}
