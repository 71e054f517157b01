/// Every key that may stand in the stack file, by section; `NAME` stands for a name of the writer's choice.
pub const KEYS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "stack",
            "server",
            "env",
            "services",
            "postgres",
            "valkey",
            "balancer",
            "secrets",
            "alerts",
            "telemetry",
            "scrape",
        ],
    ),
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
            "metrics",
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
    (
        "alerts",
        &[
            "rules",
            "builtin",
            "evaluation_interval",
            "query_url",
            "query_token_secret",
            "external_labels",
            "alertmanager_file",
            "oncall_file",
            "fallback_receiver",
            "heartbeat_url",
            "heartbeat_interval",
            "heartbeats",
        ],
    ),
    (
        "telemetry",
        &["retention", "retention_size", "max_series", "out_of_order", "remote_write", "prometheus_file"],
    ),
    ("telemetry.remote_write", &["url", "token_secret"]),
    (
        "scrape.NAME",
        &[
            "targets",
            "scheme",
            "path",
            "params",
            "interval",
            "timeout",
            "labels",
            "honor_labels",
            "honor_timestamps",
            "sample_limit",
            "relabel",
            "metric_relabel",
        ],
    ),
    ("scrape.NAME.targets", &["address", "labels"]),
    (
        "scrape.NAME.relabel",
        &["action", "source_labels", "separator", "regex", "modulus", "target_label", "replacement"],
    ),
];

/// Keys that are named by the design and mean nothing yet. A key that does nothing is worse than an error.
pub const LATER: &[(&str, &[&str])] = &[("", &["storage", "smtp", "certificates", "network"])];

/// The keys of a section in one of the tables above.
pub(crate) fn of(
    table: &'static [(&'static str, &'static [&'static str])],
    section: &str,
) -> &'static [&'static str] {
    table.iter().find(|(name, _)| *name == section).map_or(&[], |(_, keys)| keys)
}
