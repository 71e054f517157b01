//! Keeps the dependency arrows pointing one way. Change the picture in ARCHITECTURE.md on purpose, then here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Folder of each crate, and the crates of ours that it may use.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        ".",
        &[
            "agents",
            "alerts",
            "audit",
            "bullmq",
            "contract",
            "engine",
            "promql",
            "samples",
            "series",
            "server",
            "settings",
            "stack",
            "tasks",
            "telemetry",
        ],
    ),
    ("libs/contract", &[]),
    ("libs/engine", &["contract"]),
    ("libs/stack", &["contract", "samples"]),
    ("libs/tasks", &[]),
    ("libs/telemetry", &[]),
    ("libs/settings", &[]),
    ("libs/bullmq", &[]),
    ("libs/samples", &[]),
    ("libs/series", &["samples"]),
    ("libs/promql", &["samples", "series"]),
    ("libs/audit", &[]),
    ("alerts", &["contract", "promql", "samples", "series"]),
    ("agents", &["bullmq", "contract", "samples", "tasks", "telemetry"]),
    ("agents/shim", &[]),
    ("dashboard", &["contract"]),
    (
        "server",
        &[
            "alerts",
            "audit",
            "contract",
            "dashboard",
            "engine",
            "promql",
            "samples",
            "series",
            "stack",
            "tasks",
            "telemetry",
        ],
    ),
    ("services/program", &["bullmq", "settings", "tasks", "telemetry"]),
    ("services/api", &["bullmq", "program", "settings", "tasks", "telemetry"]),
    ("services/realtime", &["bullmq", "program", "settings", "tasks", "telemetry"]),
    ("services/worker", &["bullmq", "program", "settings", "tasks", "telemetry"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn crates_depend_only_on_what_the_map_allows() {
    for (folder, allowed) in ALLOWED {
        let path = root().join(folder).join("Cargo.toml");
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let manifest: toml::Table =
            text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let used: BTreeSet<&str> = manifest
            .get("dependencies")
            .and_then(toml::Value::as_table)
            .into_iter()
            .flat_map(toml::Table::keys)
            .filter_map(|name| name.strip_prefix("ops-"))
            .collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert!(used.is_subset(&allowed), "{folder} uses {used:?}, the map allows {allowed:?}");
    }
}

#[test]
fn every_crate_is_on_the_map() {
    let mapped: BTreeSet<PathBuf> = ALLOWED.iter().map(|(folder, _)| root().join(folder)).collect();
    for parent in ["libs", "services"] {
        for entry in std::fs::read_dir(root().join(parent)).unwrap() {
            let folder = root().join(parent).join(entry.unwrap().file_name());
            if folder.join("Cargo.toml").exists() {
                assert!(mapped.contains(&folder), "{} is not in the table above", folder.display());
            }
        }
    }
}

#[test]
fn only_the_store_has_sql_and_only_http_knows_axum() {
    for (path, text) in sources("server/src") {
        let inside = |folder: &str| path.starts_with(root().join("server/src").join(folder));
        if !inside("store") {
            assert!(!text.contains("sqlx::query"), "{}: SQL belongs in store/", path.display());
        }
        if !inside("http") {
            assert!(!text.contains("use axum::"), "{}: axum belongs in http/", path.display());
        }
    }
}

#[test]
fn pure_crates_have_no_clock_and_no_io() {
    for folder in ["libs/contract/src", "libs/engine/src", "libs/audit/src"] {
        for (path, text) in sources(folder) {
            for banned in ["Instant::now", "SystemTime", "Timestamp::now", "std::fs", "std::net", "tokio::"] {
                assert!(!text.contains(banned), "{} uses {banned}", path.display());
            }
        }
    }
}

#[test]
fn files_stay_readable() {
    let long: Vec<String> = ["agents", "alerts", "dashboard", "libs", "server", "services", "src", "xtask"]
        .into_iter()
        .flat_map(sources)
        .filter(|(path, _)| path.components().any(|part| part.as_os_str() == "src"))
        .filter(|(_, text)| code_lines(text) > 500)
        .map(|(path, text)| format!("{} has {} lines before its tests", path.display(), code_lines(&text)))
        .collect();
    assert!(long.is_empty(), "split these, one idea per file:\n{}", long.join("\n"));
}

#[test]
fn the_repository_holds_no_secret() {
    let output = ops_tests::system::insightdesk(&root(), &["doctor", "--repository"]).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("repository"), "{said}");
}

/// Lines up to the file's own unit tests.
fn code_lines(text: &str) -> usize {
    text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count()
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir()
                && path.file_name().is_some_and(|name| name != "node_modules" && name != "target")
            {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}
