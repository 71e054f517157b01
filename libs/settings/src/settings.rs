use std::time::Duration;

use secrecy::SecretString;
use serde::Serialize;

use crate::{Environment, Report};

/// The whole environment, typed. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Names, addresses, port.
    pub application: Application,
    /// PostgreSQL.
    pub database: Database,
    /// Valkey, by use.
    pub valkey: Valkey,
    /// Tokens.
    pub auth: Auth,
    /// Where uploaded files go.
    pub storage: Storage,
    /// Outgoing mail.
    pub email: Email,
    /// Requests per window and address.
    pub rate_limit: RateLimit,
    /// Log lines.
    pub logging: Logging,
    /// Origins that browsers may call from (`CORS_ORIGINS`).
    pub cors_origins: Vec<String>,
    /// Where errors and traces go.
    pub telemetry: Telemetry,
    /// Features that can be switched.
    pub features: Features,
}

/// Names, addresses, port.
#[derive(Clone, Debug)]
pub struct Application {
    /// `NODE_ENV`.
    pub environment: Environment,
    /// `APP_NAME`.
    pub name: String,
    /// `APP_URL`.
    pub app_url: String,
    /// `API_URL`.
    pub api_url: String,
    /// `API_VERSION`, such as `v1`.
    pub api_version: String,
    /// `PORT`.
    pub port: u16,
    /// `INSIGHTDESK_REPLICA`, such as `api/0`.
    pub replica: Option<String>,
}

/// PostgreSQL.
#[derive(Clone, Debug)]
pub struct Database {
    /// `DATABASE_URL`: the primary.
    pub url: SecretString,
    /// `DATABASE_REPLICA_URL` and `DATABASE_REPLICA_URLS`: for reads. Empty: read from the primary.
    pub replica_urls: Vec<SecretString>,
    /// `DATABASE_POOL_MIN`.
    pub pool_min: u32,
    /// `DATABASE_POOL_MAX`.
    pub pool_max: u32,
    /// `DATABASE_TIMEOUT`.
    pub timeout: Duration,
}

/// Valkey, by use; each is `VALKEY_URL` when not set on its own.
#[derive(Clone, Debug)]
pub struct Valkey {
    /// `VALKEY_URL`.
    pub url: SecretString,
    /// `VALKEY_CACHE_URL`.
    pub cache_url: SecretString,
    /// `VALKEY_QUEUE_URL`.
    pub queue_url: SecretString,
    /// `VALKEY_SESSION_URL`.
    pub session_url: SecretString,
}

/// Tokens.
#[derive(Clone, Debug)]
pub struct Auth {
    /// `JWT_SECRET`.
    pub secret: SecretString,
    /// `JWT_SECRET_PREVIOUS`: tokens signed with it are good too.
    pub previous_secret: Option<SecretString>,
    /// `JWT_EXPIRES_IN`.
    pub expires_in: Duration,
    /// `JWT_REFRESH_SECRET`.
    pub refresh_secret: SecretString,
    /// `JWT_REFRESH_SECRET_PREVIOUS`: tokens signed with it are good too.
    pub previous_refresh_secret: Option<SecretString>,
    /// `JWT_REFRESH_EXPIRES_IN`.
    pub refresh_expires_in: Duration,
}

/// Where uploaded files go (`STORAGE_PROVIDER`).
#[derive(Clone, Debug)]
pub enum Storage {
    /// A folder of this machine.
    Local,
    /// Cloudinary.
    Cloudinary(Cloudinary),
    /// S3.
    S3(S3),
}

/// The Cloudinary account.
#[derive(Clone, Debug)]
pub struct Cloudinary {
    /// `CLOUDINARY_CLOUD_NAME`.
    pub cloud_name: String,
    /// `CLOUDINARY_API_KEY`.
    pub api_key: SecretString,
    /// `CLOUDINARY_API_SECRET`.
    pub api_secret: SecretString,
}

/// The S3 bucket.
#[derive(Clone, Debug)]
pub struct S3 {
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: SecretString,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: SecretString,
    /// `AWS_REGION`.
    pub region: String,
    /// `AWS_S3_BUCKET`.
    pub bucket: String,
}

/// Outgoing mail.
#[derive(Clone, Debug)]
pub struct Email {
    /// `EMAIL_FROM`.
    pub from: String,
    /// The mail server; `None` means no mail is sent.
    pub smtp: Option<Smtp>,
}

/// The mail server.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// `SMTP_HOST`.
    pub host: String,
    /// `SMTP_PORT`.
    pub port: u16,
    /// `SMTP_USER` and `SMTP_PASS`.
    pub credentials: Option<(String, SecretString)>,
}

/// Requests per window and address.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    /// `RATE_LIMIT_WINDOW_MS`.
    pub window: Duration,
    /// `RATE_LIMIT_MAX_REQUESTS`.
    pub max_requests: u32,
}

/// Log lines.
#[derive(Clone, Debug)]
pub struct Logging {
    /// `LOG_LEVEL`, in pino's words.
    pub level: String,
    /// `LOG_FORMAT`.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For machines.
    #[default]
    Json,
    /// For people.
    Pretty,
}

/// Where errors and traces go.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// `SENTRY_DSN`.
    pub sentry_dsn: Option<SecretString>,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub otlp_endpoint: Option<String>,
}

/// Features that can be switched.
#[derive(Clone, Copy, Debug)]
pub struct Features {
    /// `FEATURE_2FA_ENABLED`.
    pub two_factor: bool,
    /// `FEATURE_OAUTH_ENABLED`.
    pub oauth: bool,
    /// `FEATURE_ANALYTICS_ENABLED`.
    pub analytics: bool,
}

impl Settings {
    /// Reads variables; all faults at once.
    ///
    /// # Errors
    ///
    /// The report of all that is wrong, when anything is.
    pub fn parse<I, K, V>(variables: I) -> Result<Self, Report>
    where
        I: IntoIterator<Item = (K, V)>,
        K: Into<String>,
        V: Into<String>,
    {
        crate::check::read(variables, None).map(|values| values.assemble())
    }

    /// Reads the environment of this process.
    ///
    /// # Errors
    ///
    /// As [`Settings::parse`].
    pub fn from_env() -> Result<Self, Report> {
        // A variable that is not UTF-8 must not end in a panic; what replaces its bytes fails its check.
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self::parse(std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))))
    }
}
