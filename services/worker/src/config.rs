//! What the worker is told, read from the environment once.

use std::net::SocketAddr;

use ops_program::database::DatabaseConfig;
use ops_program::start;
use ops_settings::{Settings, Smtp};
use secrecy::SecretString;

/// What the worker is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where health is answered.
    pub address: SocketAddr,
    /// Where breaches and effects are written.
    pub database: DatabaseConfig,
    /// Where events are published.
    pub valkey: SecretString,
    /// The queues.
    pub queue_valkey: SecretString,
    /// The mail server; absent: no mail is sent.
    pub smtp: Option<Smtp>,
    /// Who mails are from.
    pub mail_from: String,
    /// Where people open the application; links in mails.
    pub app_url: String,
}

impl Config {
    /// Reads it from the environment.
    pub fn from_settings(settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self {
            address: start::address(settings)?,
            database: DatabaseConfig {
                url: settings.database.url.clone(),
                pool_max: settings.database.pool_max,
                timeout: settings.database.timeout,
            },
            valkey: settings.valkey.url.clone(),
            queue_valkey: settings.valkey.queue_url.clone(),
            smtp: settings.email.smtp.clone(),
            mail_from: settings.email.from.clone(),
            app_url: settings.application.app_url.clone(),
        })
    }
}
