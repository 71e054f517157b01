/// Every key that may stand in the stack file, by section; `NAME` stands for a name of the writer's choice.
pub const KEYS: &[(&str, &[&str])] = &[
    ("", &["stack", "server", "env", "services", "postgres", "valkey", "balancer", "secrets"]),
    ("stack", &["name", "environment"]),
    ("server", &["listen", "grpc", "database", "data_dir", "external_url"]),
    (
        "services.NAME",
        &[
            "run",
            "directory",
            "driver",
            "role",
            "port",
            "replicas",
            "health",
            "deep_check",
            "restart",
            "stop",
            "depends_on",
            "env",
            "secrets",
            "route",
            "scale",
        ],
    ),
    ("services.NAME.replicas", &["min", "max"]),
    (
        "services.NAME.health",
        &["path", "live_path", "interval", "timeout", "retries", "start_period", "start_timeout"],
    ),
    ("services.NAME.deep_check", &["path", "interval"]),
    ("services.NAME.restart", &["policy", "max", "window", "backoff", "backoff_max", "never_on"]),
    ("services.NAME.stop", &["grace", "signal"]),
    (
        "services.NAME.scale",
        &[
            "queues",
            "target_wait",
            "concurrency",
            "max_waiting",
            "cpu",
            "connections",
            "drain",
            "start_delay",
        ],
    ),
    ("postgres.NAME", &["primary", "replicas", "database", "user", "password_secret", "development", "port"]),
    ("valkey.NAME", &["address", "password_secret", "development", "port", "queues"]),
    ("valkey.NAME.queues", &["database", "prefix"]),
    ("balancer", &["port"]),
    ("secrets.NAME", &["from", "variable"]),
];

/// Keys that are named by the design and mean nothing yet. A key that does nothing is worse than an error.
pub const LATER: &[(&str, &[&str])] =
    &[("", &["storage", "smtp", "certificates", "network", "alerts", "telemetry"])];

/// The keys of a section in one of the tables above.
pub(crate) fn of(
    table: &'static [(&'static str, &'static [&'static str])],
    section: &str,
) -> &'static [&'static str] {
    table.iter().find(|(name, _)| *name == section).map_or(&[], |(_, keys)| keys)
}
