//! Log lines of a real process: this test binary runs itself again as the program.

use std::process::{Command, Output};

use ops_telemetry::{Config, init};
use tracing::{error, info, info_span};

/// Not a test: tells its life with a secret in every place.
#[test]
#[ignore = "a program for the tests below"]
fn program() {
    let config = Config::from_env("program").with_secrets(["planted\"secret-1".into()]);
    let guard = init(config).expect("telemetry");
    assert!(init(Config::new("again")).is_err(), "a second call is refused");
    let _span = info_span!("outer", task.name = "count", note = "planted\"secret-1").entered();
    info!(user = "u1", detail = "planted\"secret-1", api_token = "never-listed-2", "hello planted\"secret-1");
    error!(error = ?"planted\"secret-1", "cannot reach redis://:never-listed-3@valkey:6379");
    tracing::debug!("debug line");
    guard.shutdown();
}

fn run(variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().expect("own path"));
    command.args(["--exact", "logs::program", "--ignored", "--nocapture"]);
    for name in ["LOG_LEVEL", "LOG_FORMAT", "SENTRY_DSN", "OTEL_EXPORTER_OTLP_ENDPOINT"] {
        command.env_remove(name);
    }
    let Output { status, stdout, stderr } =
        command.envs(variables.iter().copied()).output().expect("the program runs");
    let text = String::from_utf8(stdout).expect("text");
    assert!(status.success(), "{text}{}", String::from_utf8_lossy(&stderr));
    for secret in ["secret-1", "never-listed"] {
        assert!(!text.contains(secret), "{secret} stands in {text}");
    }
    text
}

#[test]
fn json_lines_name_their_trace_and_hold_no_secret() {
    let text = run(&[("LOG_LEVEL", "info")]);
    let lines: Vec<serde_json::Value> = text
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 2, "{text}");
    let hello = &lines[0];
    assert_eq!(hello["message"], "hello [redacted]");
    assert_eq!((&hello["level"], &hello["service"]), (&"info".into(), &"program".into()));
    assert_eq!((&hello["user"], &hello["api_token"]), (&"u1".into(), &"[redacted]".into()));
    assert_eq!(hello["task.name"], "count");
    assert_eq!(hello["trace_id"].as_str().map(str::len), Some(32));
    assert_eq!(hello["trace_id"], lines[1]["trace_id"]);
}

#[test]
fn pretty_lines_and_pino_levels_are_understood() {
    let text = run(&[("LOG_LEVEL", "20"), ("LOG_FORMAT", "pretty")]);
    assert!(text.contains("debug line") && text.contains("INFO") && !text.contains('\u{1b}'), "{text}");
    assert!(!run(&[("LOG_LEVEL", "fatal")]).contains("hello"));
}

#[test]
fn places_that_cannot_be_used_do_not_stop_a_program() {
    run(&[("SENTRY_DSN", "https://your-sentry-dsn"), ("LOG_LEVEL", "loud"), ("LOG_FORMAT", "xml")]);
    run(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"), ("SENTRY_DSN", "http://k@127.0.0.1:1/1")]);
}
