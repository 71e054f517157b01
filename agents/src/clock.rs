use ops_contract::Timestamp;

/// The wall clock.
pub(crate) fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}
