//! The environment as programs meet it.

use std::collections::BTreeSet;
use std::time::Duration;

use ops_settings::{
    Environment, LogFormat, Report, Settings, Storage, VARIABLES, check, example, read_env_file,
};
use secrecy::ExposeSecret;

const SECRET: &str = "k3J9wQz1pV7tR5mX8bN2cL6hD4fG0sYa";
const REFRESH: &str = "Zx8Cv6Bn4Mq2We0Rt9Yu7Io5Pa3Sd1Fg";

type Variables = Vec<(String, String)>;

fn variables(pairs: &[(&str, &str)]) -> Variables {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The least that development needs.
fn development() -> Variables {
    variables(&[
        ("NODE_ENV", "development"),
        ("DATABASE_URL", "postgresql://desk:pg-password-1@localhost:5432/insightdesk"),
        ("VALKEY_URL", "valkey://:valkey-password-1@localhost:6379"),
        ("JWT_SECRET", SECRET),
        ("JWT_REFRESH_SECRET", REFRESH),
    ])
}

/// An environment that production takes.
fn production() -> Variables {
    let mut all = development();
    all.extend(variables(&[
        ("NODE_ENV", "production"),
        ("APP_URL", "https://desk.example.com"),
        ("API_URL", "https://api.example.com"),
        ("CORS_ORIGINS", "https://desk.example.com"),
        ("STORAGE_PROVIDER", "s3"),
        ("AWS_ACCESS_KEY_ID", "AKIA-access-1"),
        ("AWS_SECRET_ACCESS_KEY", "aws-secret-1"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_S3_BUCKET", "desk-uploads"),
        ("SMTP_HOST", "smtp.example.com"),
        ("SMTP_USER", "desk"),
        ("SMTP_PASS", "smtp-password-1"),
        ("EMAIL_FROM", "Desk <desk@example.com>"),
        ("SENTRY_DSN", "https://sentrykey1@o1.ingest.sentry.io/2"),
    ]));
    all
}

fn with(mut all: Variables, changes: &[(&str, &str)]) -> Variables {
    all.extend(variables(changes));
    all
}

fn faulty(report: &Report) -> Vec<&str> {
    report.faults.iter().map(|fault| fault.variable.as_str()).collect()
}

fn warned(report: &Report) -> Vec<&str> {
    report.warnings.iter().map(|warning| warning.variable.as_str()).collect()
}

#[test]
fn the_least_environment_gets_the_defaults_of_the_seed() {
    let settings = Settings::parse(development()).expect("it is complete");
    assert_eq!(settings.application.port, 3001);
    assert_eq!((settings.database.pool_min, settings.database.pool_max), (2, 10));
    assert_eq!(settings.database.timeout, Duration::from_secs(30));
    assert_eq!(settings.auth.expires_in, Duration::from_secs(15 * 60));
    assert_eq!(settings.auth.refresh_expires_in, Duration::from_secs(7 * 24 * 3600));
    assert_eq!(settings.rate_limit.max_requests, 100);
    assert_eq!(settings.logging.format, LogFormat::Json);
    assert_eq!(settings.valkey.queue_url.expose_secret(), settings.valkey.url.expose_secret());
    assert!(settings.database.replica_urls.is_empty());
    assert!(matches!(settings.storage, Storage::Local));
    assert!(settings.features.two_factor && !settings.features.oauth);
}

#[test]
fn a_complete_production_environment_is_good() {
    let report = check(production(), None);
    assert_eq!((report.faults, report.warnings), (vec![], vec![]));
}

#[test]
fn all_faults_are_told_at_once() {
    let report = check(
        with(
            production(),
            &[
                ("PORT", "eighty"),
                ("DATABASE_URL", "mysql://desk@db/x"),
                ("DATABASE_POOL_MIN", "20"),
                ("VALKEY_URL", ""),
                ("JWT_SECRET", "short"),
                ("JWT_REFRESH_EXPIRES_IN", "7"),
                ("AWS_REGION", " "),
                ("SMTP_PASS", ""),
                ("FEATURE_OAUTH_ENABLED", "maybe"),
                ("APP_URL", "http://desk.example.com"),
                ("CORS_ORIGINS", "*"),
                ("LOG_FORMAT", "xml"),
            ],
        ),
        None,
    );
    let mut names = faulty(&report);
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "APP_URL",
            "AWS_REGION",
            "CORS_ORIGINS",
            "DATABASE_POOL_MIN",
            "DATABASE_URL",
            "FEATURE_OAUTH_ENABLED",
            "JWT_REFRESH_EXPIRES_IN",
            "JWT_SECRET",
            "LOG_FORMAT",
            "PORT",
            "SMTP_PASS",
            "VALKEY_URL",
        ]
    );
    for fault in &report.faults {
        assert!(
            !fault.problem.is_empty() && !fault.expected.is_empty() && !fault.fix.is_empty(),
            "{fault:?}"
        );
    }
}

#[test]
fn nothing_set_names_everything_that_is_required() {
    let none: [(&str, &str); 0] = [];
    let required = ["NODE_ENV", "DATABASE_URL", "VALKEY_URL", "JWT_SECRET", "JWT_REFRESH_SECRET"];
    assert_eq!(faulty(&check(none, None)), required);
    let report = check(none, Some(Environment::Production));
    let names: BTreeSet<&str> = faulty(&report).into_iter().collect();
    let required = VARIABLES.iter().filter(|variable| variable.need.in_environment(Environment::Production));
    // The override says what NODE_ENV would.
    assert_eq!(names, required.map(|variable| variable.name).filter(|name| *name != "NODE_ENV").collect());
}

#[test]
fn no_output_holds_a_secret() {
    let pasted = [
        ("DATABASE_URL", "not a url pg-password-1"),
        ("SENTRY_DSN", "sentrykey1"),
        ("JWT_SECRET", "too-short-secret"),
        ("JWT_REFRESH_SECRET", "too-short-secret"),
        ("CORS_ORIGINS", "https://user:pg-password-1@x"),
        ("APP_URL", "ftp://user:pg-password-1@x"),
        ("SMTP_PASWORD", "smtp-password-1"),
    ];
    let report = check(with(production(), &pasted), None);
    let shown = format!("{report}{report:?}{}", serde_json::to_string(&report).expect("plain data"));
    let settings = Settings::parse(production()).expect("it is complete");
    let shown = shown + &format!("{settings:?}{settings:#?}");
    for secret in
        ["password-1", "sentrykey1", "too-short-secret", SECRET, REFRESH, "aws-secret-1", "AKIA-access-1"]
    {
        assert!(!shown.contains(secret), "{secret} stands in {shown}");
    }
}

#[test]
fn placeholders_are_refused_where_people_are() {
    let example = read_env_file(&example(Environment::Development)).expect("our own file");
    for environment in [Environment::Staging, Environment::Production] {
        let report = check(example.clone(), Some(environment));
        for name in [
            "DATABASE_URL",
            "JWT_SECRET",
            "JWT_REFRESH_SECRET",
            "CLOUDINARY_API_SECRET",
            "SMTP_PASS",
            "SENTRY_DSN",
        ] {
            let fault = report.faults.iter().find(|fault| fault.variable == name);
            assert!(
                fault.is_some_and(|fault| fault.problem.contains("placeholder")),
                "{name} in {environment}"
            );
        }
    }
    let seeds = ("JWT_REFRESH_SECRET", "your-refresh-secret-key");
    assert_eq!(faulty(&check(with(production(), &[seeds]), None)), ["JWT_REFRESH_SECRET"]);
}

#[test]
fn one_secret_for_both_tokens_is_refused_where_people_are() {
    let same = [("JWT_REFRESH_SECRET", SECRET)];
    assert_eq!(faulty(&check(with(production(), &same), None)), ["JWT_REFRESH_SECRET"]);
    let report = check(with(development(), &same), None);
    assert_eq!((faulty(&report), warned(&report)), (vec![], vec!["JWT_REFRESH_SECRET"]));
}

#[test]
fn the_chosen_storage_needs_its_group() {
    let chosen = [("STORAGE_PROVIDER", "cloudinary"), ("CLOUDINARY_API_KEY", "12345")];
    let report = check(with(development(), &chosen), None);
    assert_eq!(faulty(&report), ["CLOUDINARY_CLOUD_NAME", "CLOUDINARY_API_SECRET"]);
}

#[test]
fn sentry_is_recommended_and_local_storage_is_not() {
    let report = check(with(production(), &[("SENTRY_DSN", ""), ("STORAGE_PROVIDER", "local")]), None);
    assert_eq!((faulty(&report), warned(&report)), (vec![], vec!["SENTRY_DSN", "STORAGE_PROVIDER"]));
}

#[test]
fn typing_errors_are_noticed_and_foreign_variables_are_not() {
    let typed = [
        ("DATABSE_URL", "x"),
        ("JWT_SECERT", "x"),
        ("REDIS_URL", "x"),
        ("SMTP_PASSWORD", "x"),
        ("PATH", "/bin"),
        ("HOME", "/"),
        ("LOGNAME", "desk"),
        ("DATABASE_HOST", "db"),
        ("POST", "1"),
    ];
    let report = check(with(development(), &typed), None);
    assert_eq!(warned(&report), ["DATABSE_URL", "JWT_SECERT", "REDIS_URL", "SMTP_PASSWORD"]);
    assert!(report.to_string().contains("did you mean DATABASE_URL?"), "{report}");
}

#[test]
fn the_example_is_good_for_development_and_names_every_variable() {
    let text = example(Environment::Development);
    for variable in VARIABLES {
        assert!(text.contains(&format!("{}=", variable.name)), "{} is not in the example", variable.name);
    }
    let settings = Settings::parse(read_env_file(&text).expect("our own file")).expect("the example works");
    assert_eq!(settings.application.environment, Environment::Development);
    assert!(settings.telemetry.sentry_dsn.is_none(), "a placeholder is not a place to send errors to");
}

#[test]
fn the_seed_s_own_example_differs_in_one_secret_only() {
    let seed = "NODE_ENV=development\nAPP_NAME=insightdesk\nAPP_URL=http://localhost:3000\n\
        DATABASE_URL=postgresql://user:pass@localhost:5432/insightdesk\nVALKEY_URL=valkey://localhost:6379\n\
        JWT_SECRET=your-super-secret-key-change-in-production\nJWT_REFRESH_SECRET=your-refresh-secret-key\n";
    // The seed's schema asks for 32 characters; its example has 23.
    assert_eq!(faulty(&check(read_env_file(seed).expect("a file"), None)), ["JWT_REFRESH_SECRET"]);
}

#[test]
fn every_variable_takes_its_own_default_and_is_described() {
    let mut names = BTreeSet::new();
    for variable in VARIABLES {
        assert!(names.insert(variable.name), "{} stands twice", variable.name);
        assert!(
            !variable.description.is_empty() && !variable.description.ends_with('.'),
            "{}",
            variable.name
        );
        if let Some(default) = variable.default {
            let report = check(with(development(), &[(variable.name, default)]), None);
            assert!(report.is_good(), "{}: {report}", variable.name);
        }
    }
}

#[test]
fn replicas_come_from_both_variables() {
    let urls = [
        ("DATABASE_REPLICA_URL", "postgres://desk@a/x"),
        ("DATABASE_REPLICA_URLS", "postgres://desk@b/x, postgres://desk@c/x"),
    ];
    let settings = Settings::parse(with(development(), &urls)).expect("good");
    assert_eq!(settings.database.replica_urls.len(), 3);
}

#[test]
fn secrets_are_listed_for_scrubbing_and_innocent_words_are_not() {
    let trivial = [("DATABASE_REPLICA_URL", "postgres://postgres:postgres@localhost/x")];
    let encoded = [("VALKEY_CACHE_URL", "redis://:p%40ss-word@localhost")];
    let all = with(with(production(), &trivial), &encoded);
    let values = Settings::parse(all).expect("good").secret_values();
    let values: Vec<&str> = values.iter().map(|value| value.expose_secret()).collect();
    for secret in
        ["pg-password-1", "valkey-password-1", SECRET, "smtp-password-1", "aws-secret-1", "p@ss-word"]
    {
        assert!(values.contains(&secret), "{secret} would be shown");
    }
    assert!(!values.contains(&"postgres"));
}

#[test]
fn rubbish_is_refused_and_never_panics() {
    let long = "x".repeat(100_000);
    for rubbish in ["\u{0}", "🦀", "-1", "1e9", "99999999999999999999", "://", "@", "'", long.as_str()] {
        for variable in VARIABLES {
            let report = check(with(production(), &[(variable.name, rubbish)]), None);
            let _ = report.to_string();
        }
        let _ = read_env_file(rubbish);
    }
    let report = check(with(development(), &[("NODE_ENV", "prod")]), None);
    assert!(faulty(&report).contains(&"NODE_ENV") && report.environment == Environment::Production);
}

#[test]
fn env_files_are_read_as_shells_write_them() {
    let text =
        "\u{feff}# comment\n\nexport A=1\nB = \"two # words\" # note\nC='x=y'\nD=a#b # note\nE=\nF=#x\n";
    let expected = [("A", "1"), ("B", "two # words"), ("C", "x=y"), ("D", "a#b"), ("E", ""), ("F", "")];
    assert_eq!(read_env_file(text), Ok(variables(&expected)));
    let report = read_env_file("GOOD=1\nbad line secret\n2X=1\nQ=\"open\n").expect_err("three bad lines");
    assert_eq!(faulty(&report), ["line 2", "line 3", "line 4"]);
    assert!(!report.to_string().contains("secret"));
}
