//! Hash chain, Merkle tree and signed checkpoints of the record of who read which secret.
//!
//! Nothing stands here yet; the crate keeps the place that the map gives it. Used online by the server and
//! offline by `insightdesk audit verify`; it will do no I/O and read no clock.
