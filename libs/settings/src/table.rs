use crate::Kind::{
    Choice, Dsn, Email, Flag, Host, Millis, Number, Origins, Secret, Span, Text, Url, UrlList,
};
use crate::Need::{Always, Deployed, Recommended, WithCloudinary, WithS3};
use crate::Section::{
    Application, Authentication, Cors, Database, Email as Mail, Features, Logging, RateLimiting, Sentry,
    Storage, Telemetry, Valkey,
};
use crate::Variable;

const HTTP: &[&str] = &["http", "https"];
const POSTGRES: &[&str] = &["postgresql", "postgres"];
const VALKEY: &[&str] = &["valkey", "valkeys", "redis", "rediss"];

const fn v(
    section: crate::Section,
    name: &'static str,
    kind: crate::Kind,
    example: &'static str,
    description: &'static str,
) -> Variable {
    Variable::new(section, name, kind, example, description)
}

/// Every variable, in the order of the example file.
pub const VARIABLES: &[Variable] = &[
    v(
        Application,
        "NODE_ENV",
        Choice(&["development", "test", "staging", "production"]),
        "development",
        "Which environment this is; decides how strict these checks are",
    )
    .need(Always),
    v(Application, "APP_NAME", Text, "insightdesk", "Name in logs, traces and mails").default_is_example(),
    v(Application, "APP_URL", Url(HTTP), "http://localhost:3000", "Where people open the application")
        .need(Deployed)
        .default_is_example(),
    v(Application, "API_URL", Url(HTTP), "http://localhost:3001", "Where browsers reach the API")
        .need(Deployed)
        .default_is_example(),
    v(Application, "API_VERSION", Text, "v1", "First segment of every API path").default_is_example(),
    v(
        Application,
        "PORT",
        Number { min: 0, max: 65_535 },
        "3001",
        "Port to listen on; handed to each replica, 0 takes a free one",
    )
    .default_is_example(),
    v(
        Application,
        "INSIGHTDESK_REPLICA",
        Text,
        "api/0",
        "Which replica this process is; the control plane sets it",
    )
    .commented(),
    v(
        Database,
        "DATABASE_URL",
        Url(POSTGRES),
        "postgresql://user:pass@localhost:5432/insightdesk",
        "The primary; takes every write",
    )
    .need(Always)
    .secret()
    .placeholder(),
    v(
        Database,
        "DATABASE_REPLICA_URL",
        Url(POSTGRES),
        "postgresql://user:pass@localhost:5433/insightdesk",
        "A read replica; without one, reads go to the primary",
    )
    .commented()
    .secret()
    .placeholder(),
    v(
        Database,
        "DATABASE_REPLICA_URLS",
        UrlList(POSTGRES),
        "postgresql://user:pass@localhost:5433/insightdesk,postgresql://user:pass@localhost:5434/insightdesk",
        "Several read replicas, separated by commas",
    )
    .commented()
    .secret()
    .placeholder(),
    v(
        Database,
        "DATABASE_POOL_MIN",
        Number { min: 0, max: 1_000 },
        "2",
        "Connections kept open in each process",
    )
    .default_is_example(),
    v(Database, "DATABASE_POOL_MAX", Number { min: 1, max: 1_000 }, "10", "Most connections of each process")
        .default_is_example(),
    v(
        Database,
        "DATABASE_TIMEOUT",
        Millis { min: 1, max: 600_000 },
        "30000",
        "Milliseconds to wait for a connection or an answer",
    )
    .default_is_example(),
    v(Valkey, "VALKEY_URL", Url(VALKEY), "valkey://localhost:6379", "Valkey, for all that follows")
        .need(Always)
        .secret(),
    v(
        Valkey,
        "VALKEY_CACHE_URL",
        Url(VALKEY),
        "valkey://localhost:6379/0",
        "The cache; VALKEY_URL when not set",
    )
    .secret(),
    v(
        Valkey,
        "VALKEY_QUEUE_URL",
        Url(VALKEY),
        "valkey://localhost:6379/1",
        "The job queues; VALKEY_URL when not set",
    )
    .secret(),
    v(
        Valkey,
        "VALKEY_SESSION_URL",
        Url(VALKEY),
        "valkey://localhost:6379/2",
        "Sessions and presence; VALKEY_URL when not set",
    )
    .secret(),
    v(
        Authentication,
        "JWT_SECRET",
        Secret { min: 32 },
        "your-super-secret-key-change-in-production",
        "Signs access tokens",
    )
    .need(Always)
    .secret()
    .placeholder(),
    v(
        Authentication,
        "JWT_SECRET_PREVIOUS",
        Secret { min: 1 },
        "",
        "Access tokens signed with it are still good: the key before a renewal, or the one to come",
    )
    .secret(),
    v(Authentication, "JWT_EXPIRES_IN", Span, "15m", "How long an access token is good").default_is_example(),
    v(
        Authentication,
        "JWT_REFRESH_SECRET",
        Secret { min: 32 },
        "your-refresh-secret-key-change-in-production",
        "Signs refresh tokens; must differ from JWT_SECRET",
    )
    .need(Always)
    .secret()
    .placeholder(),
    v(
        Authentication,
        "JWT_REFRESH_SECRET_PREVIOUS",
        Secret { min: 1 },
        "",
        "Refresh tokens signed with it are still good: the key before a renewal, or the one to come",
    )
    .secret(),
    v(Authentication, "JWT_REFRESH_EXPIRES_IN", Span, "7d", "How long a refresh token is good")
        .default_is_example(),
    v(
        Storage,
        "STORAGE_PROVIDER",
        Choice(&["cloudinary", "s3", "local"]),
        "cloudinary",
        "Where uploaded files go",
    )
    .need(Deployed)
    .default("local"),
    v(Storage, "CLOUDINARY_CLOUD_NAME", Text, "your-cloud-name", "Cloudinary account")
        .need(WithCloudinary)
        .placeholder(),
    v(Storage, "CLOUDINARY_API_KEY", Secret { min: 1 }, "your-api-key", "Cloudinary key")
        .need(WithCloudinary)
        .secret()
        .placeholder(),
    v(Storage, "CLOUDINARY_API_SECRET", Secret { min: 1 }, "your-api-secret", "Cloudinary secret")
        .need(WithCloudinary)
        .secret()
        .placeholder(),
    v(Storage, "AWS_ACCESS_KEY_ID", Secret { min: 1 }, "your-access-key", "S3 key")
        .need(WithS3)
        .commented()
        .secret()
        .placeholder(),
    v(Storage, "AWS_SECRET_ACCESS_KEY", Secret { min: 1 }, "your-secret-key", "S3 secret")
        .need(WithS3)
        .commented()
        .secret()
        .placeholder(),
    v(Storage, "AWS_REGION", Text, "us-east-1", "S3 region").need(WithS3).commented(),
    v(Storage, "AWS_S3_BUCKET", Text, "insightdesk-uploads", "S3 bucket").need(WithS3).commented(),
    v(Mail, "SMTP_HOST", Host, "smtp.mailtrap.io", "Mail server; no mail is sent without one")
        .need(Deployed)
        .placeholder(),
    v(Mail, "SMTP_PORT", Number { min: 1, max: 65_535 }, "587", "Its port").default_is_example(),
    v(Mail, "SMTP_USER", Text, "your-smtp-user", "Account at the mail server").placeholder(),
    v(Mail, "SMTP_PASS", Secret { min: 1 }, "your-smtp-pass", "Password of that account")
        .secret()
        .placeholder(),
    v(Mail, "EMAIL_FROM", Email, "noreply@insightdesk.com", "Sender of every mail")
        .need(Deployed)
        .default_is_example(),
    v(
        RateLimiting,
        "RATE_LIMIT_WINDOW_MS",
        Millis { min: 1, max: 86_400_000 },
        "60000",
        "Length of the window in milliseconds",
    )
    .default_is_example(),
    v(
        RateLimiting,
        "RATE_LIMIT_MAX_REQUESTS",
        Number { min: 1, max: 10_000_000 },
        "100",
        "Most requests of one address in a window",
    )
    .default_is_example(),
    v(
        Logging,
        "LOG_LEVEL",
        Choice(&["fatal", "error", "warn", "info", "debug", "trace", "silent"]),
        "info",
        "Least severe log line that is written",
    )
    .default_is_example(),
    v(Logging, "LOG_FORMAT", Choice(&["json", "pretty"]), "json", "json for machines, pretty for people")
        .default_is_example(),
    v(
        Cors,
        "CORS_ORIGINS",
        Origins,
        "http://localhost:3000,http://localhost:3001",
        "Origins that browsers may call from, separated by commas",
    )
    .default_is_example(),
    v(Sentry, "SENTRY_DSN", Dsn, "https://your-sentry-dsn", "Where errors are reported")
        .need(Recommended)
        .secret()
        .placeholder(),
    v(
        Telemetry,
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        Url(HTTP),
        "http://localhost:4318",
        "OTLP/HTTP receiver of traces; none are sent without one",
    )
    .commented(),
    v(Features, "FEATURE_2FA_ENABLED", Flag, "true", "Second factor at sign-in").default_is_example(),
    v(Features, "FEATURE_OAUTH_ENABLED", Flag, "false", "Sign-in with other accounts").default_is_example(),
    v(Features, "FEATURE_ANALYTICS_ENABLED", Flag, "true", "Usage analytics").default_is_example(),
];
