//! AWS Secrets Manager.

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::primitives::DateTime;
use ops_contract::Timestamp;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

use super::fault;
use crate::secrets::stores::{Facts, StoreError, Value};

const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";

/// A connection to Secrets Manager.
#[derive(Clone, Debug)]
pub(crate) struct SecretsManager {
    client: Client,
}

impl SecretsManager {
    /// Prepares the connection; nothing is sent yet.
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// The current value of a secret, or of one field of it when it is a JSON object. Without when a renewal began: see
    /// [`SecretsManager::facts`].
    pub(crate) async fn read(&self, id: &str, field: Option<&str>) -> Result<Value, StoreError> {
        let (whole, facts) = self.whole(id).await?;
        let value = match field {
            None => SecretString::from(whole.as_str()),
            Some(field) => {
                let fields = fields(id, &whole)?;
                let value = fields
                    .get(field)
                    .ok_or_else(|| StoreError::Missing(format!("{} has no field {field}", words(id))))?;
                text(value)
            }
        };
        Ok(Value { value, facts })
    }

    /// What is known of a secret; reads no value.
    pub(crate) async fn facts(&self, id: &str) -> Result<Facts, StoreError> {
        let answer = self.client.describe_secret().secret_id(id).send().await;
        let secret = answer.map_err(|error| fault(&words(id), &error))?;
        let (current, pending) = (version(&secret, CURRENT), version(&secret, PENDING));
        let is_pending = pending.is_some() && pending != current;
        let changed_at = secret.last_changed_date().or(secret.created_date()).and_then(of);
        // The date of change moves with the version that was put there to become the current one.
        let rotated_at = secret.last_rotated_date().or(secret.created_date()).and_then(of);
        Ok(Facts {
            version: current,
            changed_at: if is_pending { rotated_at } else { changed_at },
            pending_since: is_pending.then_some(changed_at).flatten(),
        })
    }

    /// Gives a secret, or one field of it, a new value. The other fields stay as they are.
    pub(crate) async fn write(
        &self,
        id: &str,
        field: Option<&str>,
        value: &SecretString,
    ) -> Result<Facts, StoreError> {
        let text = match field {
            None => Zeroizing::new(value.expose_secret().to_owned()),
            Some(field) => {
                let whole = match self.whole(id).await {
                    Ok((whole, _)) => whole,
                    // It is there and has no value yet.
                    Err(StoreError::Missing(_)) => Zeroizing::new("{}".to_owned()),
                    Err(error) => return Err(error),
                };
                with(&fields(id, &whole)?, field, value)
            }
        };
        let request = self.client.put_secret_value().secret_id(id).secret_string(text.as_str());
        let answer = request.send().await.map_err(|error| fault(&words(id), &error))?;
        Ok(Facts { version: answer.version_id, ..self.facts(id).await? })
    }

    async fn whole(&self, id: &str) -> Result<(Zeroizing<String>, Facts), StoreError> {
        let answer = self.client.get_secret_value().secret_id(id).send().await;
        let secret = answer.map_err(|error| fault(&words(id), &error))?;
        let facts = Facts {
            version: secret.version_id,
            changed_at: secret.created_date.as_ref().and_then(of),
            pending_since: None,
        };
        let text = secret.secret_string.map(Zeroizing::new).ok_or_else(|| {
            StoreError::Unsound(format!(
                "{} holds bytes and no text, which no program can be given",
                words(id)
            ))
        })?;
        Ok((text, facts))
    }
}

fn fields<'a>(id: &str, whole: &'a str) -> Result<BTreeMap<String, &'a RawValue>, StoreError> {
    serde_json::from_str(whole).map_err(|_| {
        StoreError::Unsound(format!("{} is no JSON object, and a field of it was asked for", words(id)))
    })
}

fn with(fields: &BTreeMap<String, &RawValue>, field: &str, value: &SecretString) -> Zeroizing<String> {
    const FITS: &str = "a string can be written as JSON";
    let quoted = |text: &str| Zeroizing::new(serde_json::to_string(text).expect(FITS));
    let mut text = Zeroizing::new(String::with_capacity(4_096));
    text.push('{');
    for (name, other) in fields.iter().filter(|(name, _)| *name != field) {
        text.push_str(&quoted(name));
        text.push(':');
        text.push_str(other.get());
        text.push(',');
    }
    text.push_str(&quoted(field));
    text.push(':');
    text.push_str(&quoted(value.expose_secret()));
    text.push('}');
    text
}

/// A string as it is; anything else as JSON writes it.
fn text(field: &RawValue) -> SecretString {
    serde_json::from_str::<SecretString>(field.get()).unwrap_or_else(|_| SecretString::from(field.get()))
}

/// Which version has a label.
fn version(secret: &DescribeSecretOutput, label: &str) -> Option<String> {
    let versions = secret.version_ids_to_stages()?;
    let found = versions.iter().find(|(_, labels)| labels.iter().any(|it| it == label));
    found.map(|(version, _)| version.clone())
}

fn of(time: &DateTime) -> Option<Timestamp> {
    i64::try_from(time.as_nanos() / 1_000).ok().map(Timestamp)
}

fn words(id: &str) -> String {
    format!("AWS secret {id}")
}
