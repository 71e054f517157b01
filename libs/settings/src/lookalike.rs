use std::collections::BTreeMap;

use crate::{Fault, VARIABLES};

/// Names of other programs that people carry over.
const ALIASES: &[(&str, &str)] = &[
    ("AWS_BUCKET", "AWS_S3_BUCKET"),
    ("ENVIRONMENT", "NODE_ENV"),
    ("JWT_ACCESS_SECRET", "JWT_SECRET"),
    ("POSTGRES_URL", "DATABASE_URL"),
    ("REDIS_URL", "VALKEY_URL"),
    ("S3_BUCKET", "AWS_S3_BUCKET"),
    ("SENTRY_URL", "SENTRY_DSN"),
    ("SMTP_PASSWORD", "SMTP_PASS"),
    ("SMTP_USERNAME", "SMTP_USER"),
];

/// One warning for each unknown variable that looks like one of ours.
pub(crate) fn warnings(raw: &BTreeMap<String, String>) -> Vec<Fault> {
    let unknown = raw.keys().filter(|name| !is_known(name));
    unknown
        .filter_map(|name| {
            let meant = meant(name)?;
            Some(Fault {
                variable: name.clone(),
                problem: format!("is not a variable of InsightDesk; did you mean {meant}?"),
                expected: String::new(),
                fix: format!("rename it to {meant}, or remove it"),
            })
        })
        .collect()
}

fn is_known(name: &str) -> bool {
    VARIABLES.iter().any(|variable| variable.name == name)
}

fn meant(name: &str) -> Option<&'static str> {
    // Longer names are not typing errors, and comparing costs their length.
    if name.len() > 64 {
        return None;
    }
    if let Some((_, meant)) = ALIASES.iter().find(|(alias, _)| *alias == name) {
        return Some(meant);
    }
    let upper = name.to_ascii_uppercase();
    VARIABLES
        .iter()
        .map(|variable| (distance(&upper, variable.name), variable.name))
        .filter(|(distance, known)| *distance <= (known.len() / 5).min(2))
        .min()
        .map(|(_, known)| known)
}

/// Edits between two names; two neighbours in the wrong order count as one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}
