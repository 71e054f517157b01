//! A bucket with Object Lock: what is put there cannot be replaced, and nobody, AWS's root user included, can delete it before
//! its time.

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{ChecksumAlgorithm, ObjectLockMode};
use ops_contract::Timestamp;

/// Longest object that is read back, bytes.
pub(crate) const LONGEST: usize = 1 << 20;
/// Most objects that are listed.
pub(crate) const MOST: usize = 100_000;

/// The bucket.
#[derive(Clone, Debug)]
pub(crate) struct S3Place {
    client: Client,
    bucket: String,
}

/// One thing that was laid down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct S3Object {
    /// Its key.
    pub(crate) key: String,
    /// Which version of it.
    pub(crate) version: String,
}

/// Why the bucket did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum S3Error {
    /// Something else lies there under this key.
    #[error("s3://{0} is there already, and what is there stays")]
    Taken(String),
    /// There is nothing.
    #[error("s3://{0} is not there")]
    Missing(String),
    /// The server may not do this, or the bucket has no Object Lock.
    #[error("s3://{0}: AWS refuses it ({1}): see the role's policy, and that the bucket has Object Lock")]
    Refused(String, String),
    /// No answer, or not in time.
    #[error("s3://{0} could not be reached: see region and endpoint_url")]
    Unreachable(String),
    /// What is there is longer, or more, than what was put there can be.
    #[error("s3://{0} holds more than is read back")]
    TooMuch(String),
}

impl S3Place {
    /// Prepares the connection; nothing is sent yet.
    pub(crate) fn new(config: &SdkConfig, bucket: &str) -> Self {
        let mut builder = aws_sdk_s3::config::Builder::from(config);
        // Other makes of S3 answer under one host name; AWS does both.
        builder.set_force_path_style(config.endpoint_url().map(|_| true));
        Self { client: Client::from_conf(builder.build()), bucket: bucket.to_owned() }
    }

    /// Lays `bytes` down under a key that nothing lies under yet, locked until `retain_until`.
    pub(crate) async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        retain_until: Timestamp,
    ) -> Result<(), S3Error> {
        let until = DateTime::from_secs(retain_until.0.div_euclid(1_000_000).saturating_add(1));
        let request = self.client.put_object().bucket(&self.bucket).key(key).body(ByteStream::from(bytes));
        let request =
            request.object_lock_mode(ObjectLockMode::Compliance).object_lock_retain_until_date(until);
        let request = request.checksum_algorithm(ChecksumAlgorithm::Sha256).if_none_match("*");
        request.send().await.map_err(|error| self.fault(key, &error))?;
        Ok(())
    }

    /// All that was ever laid down under keys that begin with `prefix`, by key, the oldest first under each: also what somebody has
    /// since put something over, or hidden with a delete marker.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<S3Object>, S3Error> {
        let mut found = Vec::new();
        let (mut key, mut version) = (None, None);
        loop {
            let request = self.client.list_object_versions().bucket(&self.bucket).prefix(prefix);
            let request = request.set_key_marker(key).set_version_id_marker(version);
            let page = request.send().await.map_err(|error| self.fault(prefix, &error))?;
            found.extend(
                page.versions
                    .into_iter()
                    .flatten()
                    .filter_map(|it| Some(S3Object { key: it.key?, version: it.version_id? })),
            );
            if found.len() > MOST {
                return Err(S3Error::TooMuch(self.name(prefix)));
            }
            (key, version) = (page.next_key_marker, page.next_version_id_marker);
            if page.is_truncated != Some(true) || key.is_none() {
                break;
            }
        }
        // S3 lists the newest version of a key first; its times are too coarse to sort by.
        found.reverse();
        found.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    /// What was laid down.
    pub(crate) async fn get(&self, object: &S3Object) -> Result<Vec<u8>, S3Error> {
        let key = &object.key;
        let request = self.client.get_object().bucket(&self.bucket).key(key).version_id(&object.version);
        let mut answer = request.send().await.map_err(|error| self.fault(key, &error))?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.body.next().await {
            let chunk = chunk.map_err(|_| S3Error::Unreachable(self.name(key)))?;
            if bytes.len() + chunk.len() > LONGEST {
                return Err(S3Error::TooMuch(self.name(key)));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn fault<E: ProvideErrorMetadata, R>(&self, key: &str, error: &SdkError<E, R>) -> S3Error {
        let name = self.name(key);
        let SdkError::ServiceError(error) = error else { return S3Error::Unreachable(name) };
        match error.err().code().unwrap_or("no code") {
            "PreconditionFailed" | "ConditionalRequestConflict" => S3Error::Taken(name),
            "NoSuchKey" | "NoSuchBucket" | "NotFound" => S3Error::Missing(name),
            "SlowDown" | "InternalError" | "ServiceUnavailable" => S3Error::Unreachable(name),
            code => {
                S3Error::Refused(name, code.chars().take(64).filter(char::is_ascii_alphanumeric).collect())
            }
        }
    }

    fn name(&self, key: &str) -> String {
        format!("{}/{key}", self.bucket)
    }
}
