//! Places outside for the audit log that need a service's own client.

pub(crate) mod s3;
#[cfg(test)]
mod s3_tests;
