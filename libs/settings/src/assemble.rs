use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::check::Values;
use crate::kind::Value;
use crate::{
    Application, Auth, Cloudinary, Database, Email, Features, LogFormat, Logging, RateLimit, S3, Settings,
    Smtp, Storage, Telemetry, Valkey,
};

/// Shortest value that is scrubbed: shorter ones stand in too many innocent words.
const SHORTEST_SCRUBBED: usize = 4;

impl Values {
    /// Puts values without faults in their places; the defaults of the table leave none empty.
    pub(crate) fn assemble(&self) -> Settings {
        Settings {
            application: self.application(),
            database: self.database(),
            valkey: self.valkey(),
            auth: Auth {
                secret: self.secret("JWT_SECRET"),
                previous_secret: self.text("JWT_SECRET_PREVIOUS").map(SecretString::from),
                expires_in: self.span("JWT_EXPIRES_IN"),
                refresh_secret: self.secret("JWT_REFRESH_SECRET"),
                previous_refresh_secret: self.text("JWT_REFRESH_SECRET_PREVIOUS").map(SecretString::from),
                refresh_expires_in: self.span("JWT_REFRESH_EXPIRES_IN"),
            },
            storage: self.storage(),
            email: self.email(),
            rate_limit: RateLimit {
                window: self.span("RATE_LIMIT_WINDOW_MS"),
                max_requests: self.number("RATE_LIMIT_MAX_REQUESTS"),
            },
            logging: Logging {
                level: self.string("LOG_LEVEL"),
                format: match self.string("LOG_FORMAT").as_str() {
                    "pretty" => LogFormat::Pretty,
                    _ => LogFormat::Json,
                },
            },
            cors_origins: self.list("CORS_ORIGINS"),
            telemetry: Telemetry {
                sentry_dsn: self.text("SENTRY_DSN").map(SecretString::from),
                otlp_endpoint: self.text("OTEL_EXPORTER_OTLP_ENDPOINT"),
            },
            features: Features {
                two_factor: self.flag("FEATURE_2FA_ENABLED"),
                oauth: self.flag("FEATURE_OAUTH_ENABLED"),
                analytics: self.flag("FEATURE_ANALYTICS_ENABLED"),
            },
        }
    }

    fn application(&self) -> Application {
        Application {
            environment: self.environment,
            name: self.string("APP_NAME"),
            app_url: self.string("APP_URL"),
            api_url: self.string("API_URL"),
            api_version: self.string("API_VERSION"),
            port: self.number("PORT"),
            replica: self.text("INSIGHTDESK_REPLICA"),
        }
    }

    fn database(&self) -> Database {
        let replicas =
            self.text("DATABASE_REPLICA_URL").into_iter().chain(self.list("DATABASE_REPLICA_URLS"));
        Database {
            url: self.secret("DATABASE_URL"),
            replica_urls: replicas.map(SecretString::from).collect(),
            pool_min: self.number("DATABASE_POOL_MIN"),
            pool_max: self.number("DATABASE_POOL_MAX"),
            timeout: self.span("DATABASE_TIMEOUT"),
        }
    }

    fn valkey(&self) -> Valkey {
        let or_main = |name| self.text(name).map_or_else(|| self.secret("VALKEY_URL"), SecretString::from);
        Valkey {
            url: self.secret("VALKEY_URL"),
            cache_url: or_main("VALKEY_CACHE_URL"),
            queue_url: or_main("VALKEY_QUEUE_URL"),
            session_url: or_main("VALKEY_SESSION_URL"),
        }
    }

    fn storage(&self) -> Storage {
        match self.string("STORAGE_PROVIDER").as_str() {
            "cloudinary" => Storage::Cloudinary(Cloudinary {
                cloud_name: self.string("CLOUDINARY_CLOUD_NAME"),
                api_key: self.secret("CLOUDINARY_API_KEY"),
                api_secret: self.secret("CLOUDINARY_API_SECRET"),
            }),
            "s3" => Storage::S3(S3 {
                access_key_id: self.secret("AWS_ACCESS_KEY_ID"),
                secret_access_key: self.secret("AWS_SECRET_ACCESS_KEY"),
                region: self.string("AWS_REGION"),
                bucket: self.string("AWS_S3_BUCKET"),
            }),
            _ => Storage::Local,
        }
    }

    fn email(&self) -> Email {
        let credentials = self.text("SMTP_USER").map(|user| (user, self.secret("SMTP_PASS")));
        let smtp =
            self.text("SMTP_HOST").map(|host| Smtp { host, port: self.number("SMTP_PORT"), credentials });
        Email { from: self.string("EMAIL_FROM"), smtp }
    }

    fn string(&self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    fn secret(&self, name: &str) -> SecretString {
        self.string(name).into()
    }

    fn list(&self, name: &str) -> Vec<String> {
        match self.by_name.get(name) {
            Some(Value::List(items)) => items.clone(),
            _ => Vec::new(),
        }
    }

    fn number<N: TryFrom<u64> + Default>(&self, name: &str) -> N {
        match self.by_name.get(name) {
            Some(Value::Number(number)) => N::try_from(*number).unwrap_or_default(),
            _ => N::default(),
        }
    }

    fn span(&self, name: &str) -> Duration {
        match self.by_name.get(name) {
            Some(Value::Span(span)) => *span,
            _ => Duration::ZERO,
        }
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.by_name.get(name), Some(Value::Flag(true)))
    }
}

impl Settings {
    /// What must not appear in logs or reports: every secret, and every password inside a URL.
    ///
    /// URLs without a password are left out, and passwords that are no secret because the URL says them twice
    /// (`postgres:postgres@`): scrubbing those would only make log lines unreadable.
    pub fn secret_values(&self) -> Vec<SecretString> {
        let mut texts: Vec<&SecretString> = vec![&self.auth.secret, &self.auth.refresh_secret];
        texts.extend(&self.auth.previous_secret);
        texts.extend(&self.auth.previous_refresh_secret);
        match &self.storage {
            Storage::Local => {}
            Storage::Cloudinary(cloudinary) => texts.extend([&cloudinary.api_key, &cloudinary.api_secret]),
            Storage::S3(s3) => texts.extend([&s3.access_key_id, &s3.secret_access_key]),
        }
        texts.extend(self.email.smtp.iter().flat_map(|smtp| smtp.credentials.iter().map(|(_, pass)| pass)));
        texts.extend(&self.telemetry.sentry_dsn);

        let valkey = &self.valkey;
        let mut urls = vec![&self.database.url];
        urls.extend(&self.database.replica_urls);
        urls.extend([&valkey.url, &valkey.cache_url, &valkey.queue_url, &valkey.session_url]);

        let texts = texts.into_iter().map(|text| text.expose_secret().to_owned());
        let mut values: Vec<String> = texts.chain(urls.into_iter().flat_map(url_secrets)).collect();
        values.retain(|value| value.len() >= SHORTEST_SCRUBBED);
        // Longest first, so that a whole URL is replaced before the password inside it.
        values.sort_by_key(|value| (std::cmp::Reverse(value.len()), value.clone()));
        values.dedup();
        values.into_iter().map(SecretString::from).collect()
    }
}

fn url_secrets(url: &SecretString) -> Vec<String> {
    let text = url.expose_secret();
    let Ok(url) = Url::parse(text) else { return Vec::new() };
    let Some(password) = url.password() else { return Vec::new() };
    if password == url.username() {
        return Vec::new();
    }
    let encoded = format!("p={password}");
    let decoded = url::form_urlencoded::parse(encoded.replace('+', "%2B").as_bytes())
        .next()
        .map(|(_, password)| password.into_owned());
    [Some(text.to_owned()), Some(password.to_owned()), decoded].into_iter().flatten().collect()
}
