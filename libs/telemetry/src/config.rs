use secrecy::SecretString;

/// What telemetry needs to know of a program.
#[derive(Clone, Debug)]
pub struct Config {
    /// `service.name`, such as `insightdesk-api`.
    pub service_name: String,
    /// `service.version`; also the Sentry release.
    pub service_version: String,
    /// `service.instance.id`, such as `api/0`.
    pub replica: Option<String>,
    /// `deployment.environment`.
    pub environment: String,
    /// A level in tracing's or pino's words, or filter directives.
    pub log_level: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Where log lines go.
    pub log_output: LogOutput,
    /// Base URL of an OTLP/HTTP receiver; `None` sends no traces.
    pub otlp_endpoint: Option<String>,
    /// Where errors are reported; `None` reports none.
    pub sentry_dsn: Option<SecretString>,
    /// Values that must not appear anywhere.
    pub secrets: Vec<SecretString>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    #[default]
    Json,
    /// For people.
    Pretty,
}

/// Where log lines go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogOutput {
    /// Standard output: services, whose output is captured.
    #[default]
    Stdout,
    /// Standard error: commands that print results.
    Stderr,
}

impl Config {
    /// Logs at `info` as JSON; no traces, no error reports.
    pub fn new(service_name: impl Into<String>) -> Self {
        Self {
            service_name: service_name.into(),
            service_version: env!("CARGO_PKG_VERSION").into(),
            replica: None,
            environment: "development".into(),
            log_level: "info".into(),
            log_format: LogFormat::Json,
            log_output: LogOutput::Stdout,
            otlp_endpoint: None,
            sentry_dsn: None,
            secrets: Vec::new(),
        }
    }

    /// Reads `LOG_LEVEL`, `LOG_FORMAT`, `NODE_ENV`, `INSIGHTDESK_REPLICA`, `OTEL_EXPORTER_OTLP_ENDPOINT` and
    /// `SENTRY_DSN`. What cannot be read is left at its default: a bad log level must not stop a program.
    pub fn from_env(service_name: impl Into<String>) -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let mut config = Self::new(service_name);
        config.log_level = variable("LOG_LEVEL").unwrap_or(config.log_level);
        config.environment = variable("NODE_ENV").unwrap_or(config.environment);
        if variable("LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("pretty")) {
            config.log_format = LogFormat::Pretty;
        }
        config.replica = variable("INSIGHTDESK_REPLICA");
        config.otlp_endpoint = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
        config.sentry_dsn = variable("SENTRY_DSN").map(SecretString::from);
        config
    }

    /// Adds values that must not appear anywhere.
    #[must_use]
    pub fn with_secrets(mut self, secrets: impl IntoIterator<Item = SecretString>) -> Self {
        self.secrets.extend(secrets);
        self
    }
}
