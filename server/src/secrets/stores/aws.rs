//! AWS: Secrets Manager, and the key of the encrypted file when KMS has it.
//!
//! Credentials are found as every AWS program finds them. What AWS answers is told by its code, never by its text.

#[cfg(test)]
mod fault_tests;
mod manager;
#[cfg(test)]
mod tests;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use ops_contract::AwsSpec;
use secrecy::zeroize::Zeroizing;

use super::StoreError;
pub(crate) use manager::SecretsManager;
#[cfg(test)]
pub(crate) use tests::config as test_config;

/// Longest time for one thing that is asked, second tries included.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);
/// Longest time for one try.
const TRY: Duration = Duration::from_secs(3);
/// Longest time until a connection is there.
const CONNECT: Duration = Duration::from_secs(2);

/// How all of AWS is reached. Asks nobody yet, but where the region comes from if `spec` names none.
pub(crate) async fn config(spec: &AwsSpec) -> SdkConfig {
    loader(spec).load().await
}

fn loader(spec: &AwsSpec) -> ConfigLoader {
    let http =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(DEADLINE)
        .operation_attempt_timeout(TRY)
        .connect_timeout(CONNECT)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(2));
    if let Some(region) = &spec.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = &spec.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader
}

/// AWS's key management service.
#[derive(Clone, Debug)]
pub(crate) struct Kms {
    client: aws_sdk_kms::Client,
}

impl Kms {
    /// Prepares the connection; nothing is sent yet.
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self { client: aws_sdk_kms::Client::new(config) }
    }

    /// A new key of 32 bytes, and the same encrypted with the key `id`.
    pub(crate) async fn generate(&self, id: &str) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), StoreError> {
        let words = format!("AWS KMS key {id}");
        let request = self.client.generate_data_key().key_id(id).key_spec(DataKeySpec::Aes256);
        let answer = request.encryption_context(CONTEXT.0, CONTEXT.1).send().await;
        let answer = answer.map_err(|error| fault(&words, &error))?;
        match (answer.plaintext, answer.ciphertext_blob) {
            (Some(plain), Some(wrapped)) => Ok((Zeroizing::new(plain.into_inner()), wrapped.into_inner())),
            _ => Err(StoreError::Unsound(format!("{words} gave no key"))),
        }
    }

    /// What was encrypted with the key `id`.
    pub(crate) async fn decrypt(&self, id: &str, wrapped: Vec<u8>) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let words = format!("AWS KMS key {id}");
        let request = self.client.decrypt().key_id(id).ciphertext_blob(Blob::new(wrapped));
        let answer = request.encryption_context(CONTEXT.0, CONTEXT.1).send().await;
        let answer = answer.map_err(|error| fault(&words, &error))?;
        let plain = answer.plaintext.ok_or_else(|| StoreError::Unsound(format!("{words} gave no key")))?;
        Ok(Zeroizing::new(plain.into_inner()))
    }
}

/// What the wrapped key is for; CloudTrail shows it, and nothing else of ours can be decrypted as this.
const CONTEXT: (&str, &str) = ("insightdesk", "secrets.enc");

/// What went wrong, in our words and AWS's code.
pub(super) fn fault<E: ProvideErrorMetadata, R>(words: &str, error: &SdkError<E, R>) -> StoreError {
    let error = match error {
        SdkError::ServiceError(error) => error.err(),
        SdkError::TimeoutError(_) => {
            return StoreError::Unreachable(format!(
                "{words}: AWS did not answer within {} s",
                DEADLINE.as_secs()
            ));
        }
        SdkError::DispatchFailure(error) if error.is_timeout() => {
            return StoreError::Unreachable(format!(
                "{words}: AWS did not answer within {} s",
                DEADLINE.as_secs()
            ));
        }
        SdkError::DispatchFailure(error) if error.is_io() => {
            return StoreError::Unreachable(format!(
                "{words}: AWS could not be reached: see region and endpoint_url"
            ));
        }
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => {
            return StoreError::Refused(format!(
                "{words}: there are no credentials for AWS, or no region: give the server a role or AWS_ACCESS_KEY_ID"
            ));
        }
        _ => {
            return StoreError::Unsound(format!(
                "{words}: what AWS answers makes no sense: see endpoint_url"
            ));
        }
    };
    let code = error.code().filter(|it| it.len() < 64 && it.bytes().all(|it| it.is_ascii_alphanumeric()));
    let code = code.unwrap_or("no code");
    match code {
        "ResourceNotFoundException" | "NotFoundException" | "NoSuchKey" | "NoSuchBucket" => {
            StoreError::Missing(format!("{words}: there is nothing of this name in AWS ({code})"))
        }
        "AccessDeniedException"
        | "AccessDenied"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "ExpiredTokenException"
        | "SignatureDoesNotMatch"
        | "InvalidAccessKeyId"
        | "IncorrectKeyException" => StoreError::Refused(format!(
            "{words}: AWS does not let the server in ({code}): see its role's policy"
        )),
        "InvalidCiphertextException" => {
            StoreError::Unsound(format!("{words}: this was not encrypted with it, or is damaged ({code})"))
        }
        "ThrottlingException"
        | "InternalServiceError"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "SlowDown" => StoreError::Unreachable(format!("{words}: AWS is busy ({code}): it is tried again")),
        _ => StoreError::Refused(format!("{words}: AWS refuses the request ({code})")),
    }
}
