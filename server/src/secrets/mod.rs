//! Secrets: where they lie, who may have them, and the record of who had them.
//!
//! A value leaves the server only through [`hand::hand_out`]: decided by `policy`, read from its store, recorded, handed out,
//! in that order. What cannot be recorded is not handed out.

pub(crate) mod approval;
mod departed;
mod hand;
pub(crate) mod handouts;
mod inventory;
pub(crate) mod policy;
pub(crate) mod prints;
pub(crate) mod rotate;
mod seen;
mod set;
pub(crate) mod stores;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ops_contract::{
    EncryptedFileKey, Environment, SecretSource, SecretSpec, SecretStoresSpec, Stack, Timestamp,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OnceCell;

pub(crate) use departed::depart;
pub(crate) use hand::{Asker, Denied, Handed, hand_out};
pub(crate) use inventory::view;
pub(crate) use set::{Set, set};
use stores::encrypted_file::EncryptedFile;
use stores::vault::{Place, Vault};
use stores::{Facts, StoreError, Value, aws, master_key};

use crate::Reread;

/// The stores of the stack's secrets. Each is opened when it is first needed: one that is away keeps no other.
pub(crate) struct Secrets {
    specs: BTreeMap<String, SecretSpec>,
    spec: SecretStoresSpec,
    environment: Environment,
    folder: Option<PathBuf>,
    /// The variables that secrets are read from, by name.
    variables: Mutex<BTreeMap<String, SecretString>>,
    reread: Option<Reread>,
    printer: prints::Printer,
    /// Answers with values that have ended.
    pub(crate) ended: Arc<handouts::Ended>,
    file: OnceCell<EncryptedFile>,
    vault: OnceCell<Vault>,
    aws: OnceCell<aws::SecretsManager>,
}

impl Secrets {
    pub(crate) fn new(
        stack: &Stack,
        folder: Option<&Path>,
        variables: BTreeMap<String, SecretString>,
        reread: Option<Reread>,
    ) -> Self {
        Self {
            specs: stack.secrets.clone(),
            spec: stack.secret_stores.clone(),
            environment: stack.environment,
            folder: folder.map(Path::to_owned),
            variables: Mutex::new(variables),
            reread,
            ended: Arc::default(),
            printer: prints::Printer::new(folder),
            file: OnceCell::new(),
            vault: OnceCell::new(),
            aws: OnceCell::new(),
        }
    }

    pub(crate) fn spec(&self, name: &str) -> Option<&SecretSpec> {
        self.specs.get(name)
    }

    /// A value, for whoever was found to be allowed to have it.
    async fn read(&self, name: &str, source: &SecretSource, now: Timestamp) -> Result<Value, StoreError> {
        match source {
            SecretSource::Env { variable } => {
                let value = self.variable(variable).ok_or_else(|| {
                    StoreError::Missing(format!(
                        "it has no value: write {variable} into .env, or set it in the server's environment and restart it"
                    ))
                })?;
                Ok(Value { value, facts: Facts::default() })
            }
            SecretSource::Generated => self.file().await?.generate(name, now).await,
            SecretSource::EncryptedFile => self.file().await?.read(name),
            SecretSource::Vault { mount, path, field } => {
                self.vault().await?.read(Place { mount, path, field }, None).await
            }
            SecretSource::AwsSecretsManager { id, field } => {
                self.aws().await?.read(id, field.as_deref()).await
            }
        }
    }

    /// A variable as it is now. A `.env` file that cannot be read leaves what it said before.
    fn variable(&self, name: &str) -> Option<SecretString> {
        let read = self.reread.as_ref().map(Reread::read);
        let mut variables = self.variables.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Some(Ok(now)) => *variables = now,
            Some(Err(error)) => {
                tracing::warn!(error = format!("{error:#}"), "secrets are as they were before")
            }
            None => {}
        }
        variables.get(name).cloned()
    }

    /// The audit devices that OpenBao or Vault has on.
    pub(crate) async fn audit_devices(&self) -> Result<Vec<stores::vault::AuditDevice>, StoreError> {
        self.vault().await?.sys_audit().await
    }

    /// Keeps the token for OpenBao or Vault from ending; says in how long it is to be called again at the latest.
    pub(crate) async fn keep_token(&self) -> Result<Option<std::time::Duration>, StoreError> {
        self.vault().await?.keep().await
    }

    /// What the server itself compares with what it is sent: the value, and the one before while that is still good.
    pub(crate) async fn good_now(&self, name: &str) -> Result<Vec<SecretString>, StoreError> {
        let now = crate::clock::now();
        let spec =
            self.specs.get(name).ok_or_else(|| StoreError::Missing(format!("there is no secret {name}")))?;
        let value = self.read(name, &spec.source, now).await?.value;
        let previous = self.read_previous(name, spec, now).await.map(|it| it.value);
        Ok(std::iter::once(value).chain(previous).collect())
    }

    /// The value that was in force until `grace` ago at most, where the store keeps it.
    async fn read_previous(&self, name: &str, spec: &SecretSpec, now: Timestamp) -> Option<Value> {
        if !matches!(spec.source, SecretSource::Generated | SecretSource::EncryptedFile) {
            return None;
        }
        let file = self.file().await.ok()?;
        let changed_at = file.facts(name).ok()?.changed_at?;
        if now.since(changed_at) > spec.grace {
            return None;
        }
        file.read_previous(name).ok()?
    }

    /// What the store knows of a secret without showing it; `None` where that would take reading it.
    async fn facts(&self, name: &str, source: &SecretSource) -> Option<Facts> {
        match source {
            SecretSource::Env { .. } => None,
            SecretSource::Generated | SecretSource::EncryptedFile => self.file().await.ok()?.facts(name).ok(),
            SecretSource::Vault { mount, path, .. } => {
                Some(self.vault().await.ok()?.metadata(mount, path).await.ok()?.current)
            }
            SecretSource::AwsSecretsManager { id, .. } => self.aws().await.ok()?.facts(id).await.ok(),
        }
    }

    async fn write(
        &self,
        name: &str,
        source: &SecretSource,
        value: SecretString,
        now: Timestamp,
    ) -> Result<Facts, StoreError> {
        match source {
            SecretSource::Env { variable } => Err(StoreError::ReadOnly(format!(
                "it is a variable of the server: change {variable} where the server is started, then restart it"
            ))),
            SecretSource::Generated | SecretSource::EncryptedFile => {
                self.file().await?.write(name, value, now).await
            }
            SecretSource::Vault { mount, path, field } => {
                self.vault().await?.write(Place { mount, path, field }, &value).await
            }
            SecretSource::AwsSecretsManager { id, field } => {
                self.aws().await?.write(id, field.as_deref(), &value).await
            }
        }
    }

    /// The value as it is; `None`: it has none yet, and none is made.
    async fn current(&self, name: &str, source: &SecretSource) -> Result<Option<SecretString>, StoreError> {
        let read = match source {
            SecretSource::Generated => self.file().await?.read(name),
            // It cannot be set anyway, and says so.
            SecretSource::Env { .. } => return Ok(None),
            other => self.read(name, other, Timestamp(0)).await,
        };
        match read {
            Ok(it) => Ok(Some(it.value)),
            Err(StoreError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives a secret this value, unless it has it.
    async fn replace(
        &self,
        name: &str,
        source: &SecretSource,
        value: &SecretString,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        match self.read(name, source, now).await {
            Ok(it) if it.value.expose_secret() == value.expose_secret() => return Ok(()),
            Ok(_) | Err(StoreError::Missing(_)) => {}
            Err(error) => return Err(error),
        }
        self.write(name, source, value.clone(), now).await.map(drop)
    }

    /// What OpenBao or Vault calls this server; nothing while it does not let us in.
    pub(crate) async fn own_names(&self) -> BTreeSet<String> {
        match (&self.spec.vault, self.vault().await) {
            (Some(_), Ok(vault)) => vault.own_names().await.unwrap_or_default(),
            _ => BTreeSet::new(),
        }
    }

    async fn file(&self) -> Result<&EncryptedFile, StoreError> {
        let open = async || {
            let folder = self.folder.as_deref().ok_or_else(|| {
                StoreError::Unreachable("the server has no state folder for its encrypted file".to_owned())
            })?;
            let local = matches!(self.environment, Environment::Development | Environment::Test);
            let kms = match &self.spec.encrypted_file {
                EncryptedFileKey::AwsKms { .. } => Some(aws::Kms::new(&aws::config(&self.spec.aws).await)),
                EncryptedFileKey::File { .. } | EncryptedFileKey::Keyring => None,
            };
            master_key::open(&self.spec.encrypted_file, folder, local, kms.as_ref()).await
        };
        self.file.get_or_try_init(open).await
    }

    async fn vault(&self) -> Result<&Vault, StoreError> {
        let open = async || match &self.spec.vault {
            Some(spec) => Vault::new(spec),
            None => {
                Err(StoreError::Unreachable("there is no [secret_stores.vault] in the stack file".to_owned()))
            }
        };
        self.vault.get_or_try_init(open).await
    }

    async fn aws(&self) -> Result<&aws::SecretsManager, StoreError> {
        let open = async || Ok(aws::SecretsManager::new(&aws::config(&self.spec.aws).await));
        self.aws.get_or_try_init(open).await
    }
}
