/// The value that says that a series ended: the NaN with the bits that Prometheus uses (`0x7ff0000000000002`).
pub const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// Whether `value` is the mark that a series ended. Other NaNs are ordinary values.
#[must_use]
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE.to_bits()
}

/// One value at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// The value; NaNs keep their bits.
    pub value: f64,
}
