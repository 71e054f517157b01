use serde::Serialize;

use crate::{Environment, Kind};

/// One variable of the environment.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The section of the example file that it stands in.
    pub section: Section,
    /// What it is for, one line.
    pub description: &'static str,
    /// What its value must look like.
    pub kind: Kind,
    /// Who must set it.
    pub need: Need,
    /// The value when it is not set and not needed.
    pub default: Option<&'static str>,
    /// What the example file shows.
    pub example: &'static str,
    /// Whether the example file shows it commented out.
    pub commented: bool,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// Whether the example is a placeholder that staging and production refuse.
    pub placeholder: bool,
}

/// Who must set a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Nobody.
    Optional,
    /// Everybody.
    Always,
    /// Staging and production.
    Deployed,
    /// Nobody must; staging and production are warned.
    Recommended,
    /// Who stores files at Cloudinary.
    WithCloudinary,
    /// Who stores files at S3.
    WithS3,
}

impl Need {
    /// Whether `environment` requires the variable, whatever else is set.
    pub fn in_environment(self, environment: Environment) -> bool {
        match self {
            Self::Always => true,
            Self::Deployed => environment.is_deployed(),
            Self::Optional | Self::Recommended | Self::WithCloudinary | Self::WithS3 => false,
        }
    }
}

/// A section of the example file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Names, addresses, port.
    Application,
    /// PostgreSQL.
    Database,
    /// Valkey.
    Valkey,
    /// Tokens.
    Authentication,
    /// Uploaded files.
    Storage,
    /// Outgoing mail.
    Email,
    /// Requests per window.
    RateLimiting,
    /// Log lines.
    Logging,
    /// Browsers of other origins.
    Cors,
    /// Error tracking.
    Sentry,
    /// Traces.
    Telemetry,
    /// Features that can be switched.
    Features,
}

impl Section {
    /// Its title in the example file.
    pub fn title(self) -> &'static str {
        match self {
            Self::Application => "APPLICATION",
            Self::Database => "DATABASE",
            Self::Valkey => "VALKEY (Redis-compatible)",
            Self::Authentication => "AUTHENTICATION",
            Self::Storage => "FILE STORAGE",
            Self::Email => "EMAIL",
            Self::RateLimiting => "RATE LIMITING",
            Self::Logging => "LOGGING",
            Self::Cors => "CORS",
            Self::Sentry => "SENTRY (Error Tracking)",
            Self::Telemetry => "TELEMETRY",
            Self::Features => "FEATURE FLAGS",
        }
    }
}

impl Variable {
    /// A variable that nobody needs, has no default and is not secret.
    pub(crate) const fn new(
        section: Section,
        name: &'static str,
        kind: Kind,
        example: &'static str,
        description: &'static str,
    ) -> Self {
        Self {
            name,
            section,
            description,
            kind,
            need: Need::Optional,
            default: None,
            example,
            commented: false,
            secret: false,
            placeholder: false,
        }
    }

    pub(crate) const fn need(mut self, need: Need) -> Self {
        self.need = need;
        self
    }

    /// The example is also the default.
    pub(crate) const fn default_is_example(mut self) -> Self {
        self.default = Some(self.example);
        self
    }

    pub(crate) const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    pub(crate) const fn commented(mut self) -> Self {
        self.commented = true;
        self
    }

    pub(crate) const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    pub(crate) const fn placeholder(mut self) -> Self {
        self.placeholder = true;
        self
    }

    /// Whether `value` was copied from an example and never replaced.
    pub(crate) fn is_placeholder(&self, value: &str) -> bool {
        const TELLTALES: [&str; 4] = ["change-in-production", "changeme", "change-me", "your-sentry-dsn"];
        let lower = value.to_ascii_lowercase();
        self.placeholder
            && (value == self.example
                || lower.starts_with("your-")
                || TELLTALES.iter().any(|telltale| lower.contains(telltale)))
    }
}
