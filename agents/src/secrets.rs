use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ops_contract::{Environment as StackEnvironment, SecretSource, Stack};
use secrecy::SecretString;

use crate::environment::Environment;
use crate::files;

/// Random bytes in a generated secret.
const RANDOM_BYTES: usize = 32;

/// Finds the values of secrets. They are never in the stack, never logged, never on a command line.
pub(crate) struct Secrets {
    path: PathBuf,
    /// Serialises the making of secrets, so that two starts agree on them.
    making: Mutex<()>,
}

impl Secrets {
    /// Generated secrets are kept in `path`.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, making: Mutex::default() }
    }

    /// The value of the secret `name`, or why there is none, in words without the value.
    pub(crate) fn resolve(
        &self,
        name: &str,
        stack: &Stack,
        environment: &Environment,
    ) -> Result<SecretString, String> {
        let spec =
            stack.secrets.get(name).ok_or_else(|| format!("secret {name} is not in the stack file"))?;
        match &spec.source {
            SecretSource::Env { variable } => environment.secret(variable).ok_or_else(|| {
                format!(
                    "secret {name} is missing: set {variable} in the agent's environment or its .env file"
                )
            }),
            SecretSource::EncryptedFile
            | SecretSource::Vault { .. }
            | SecretSource::AwsSecretsManager { .. } => {
                Err(format!("secret {name} is not had from the server yet"))
            }
            SecretSource::Generated => match stack.environment {
                StackEnvironment::Development | StackEnvironment::Test => self.generated(name),
                StackEnvironment::Staging | StackEnvironment::Production => Err(format!(
                    "secret {name} may not be generated in staging or production: give it a real source"
                )),
            },
        }
    }

    fn generated(&self, name: &str) -> Result<SecretString, String> {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known: BTreeMap<String, String> = match self.path.exists() {
            true => files::read_json(&self.path)
                .ok_or_else(|| format!("{} cannot be read", self.path.display()))?,
            false => BTreeMap::new(),
        };
        if let Some(value) = known.get(name) {
            return Ok(SecretString::from(value.as_str()));
        }
        let value = URL_SAFE_NO_PAD.encode(rand::random::<[u8; RANDOM_BYTES]>());
        known.insert(name.to_owned(), value.clone());
        files::write_json(&self.path, &known)
            .map_err(|error| format!("cannot keep secret {name} in {}: {error}", self.path.display()))?;
        Ok(SecretString::from(value))
    }
}
