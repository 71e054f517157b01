//! The same templates, rendered by a real `promtool test rules`.

use std::fmt::Write as _;
use std::process::Command;

use super::{KNOWN, render};

/// Newer than the Prometheus that Debian has, or what its unit tests do not know.
const UNKNOWN: [&str; 4] = ["toDuration", "urlQueryEscape", "externalURL }}", "pathPrefix"];

const VALUES: &[f64] = &[
    0.0,
    1.0,
    -1.0,
    0.5,
    2.5,
    0.25,
    1.0 / 3.0,
    12.345,
    99.995,
    1234.5678,
    65_536.0,
    999_999.5,
    1e6,
    1e15,
    1.5e21,
    1e-5,
    0.000_123_4,
    1e-7,
    5e-324,
    1.797e308,
    86_400.0,
    90_061.5,
    3_599.999,
    1_048_576.0,
    1_699_999_999.25,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
];

const OF_VALUES: &[&str] = &[
    "{{ $value }}|{{ printf \"%v %g %e %f %E %G\" $value $value $value $value $value $value }}",
    "{{ printf \"%.0f %.1f %.2f %.4g %.3e %.15g %.17g\" $value $value $value $value $value $value $value }}",
    "{{ printf \"%8.2f|%-12.3g|%+g|% g|%012.2f|%+.1e|%x\" $value $value $value $value $value $value $value }}",
    "{{ printf \"%6d|%5s|%t|%q\" $value $value $value $value }}",
    "{{ humanize $value }} {{ humanize1024 $value }} {{ humanizeDuration $value }} {{ humanizePercentage $value }}",
    "{{ print $value 1 $value \"a\" }}",
];

#[test]
fn promtool_renders_the_same() {
    if Command::new("promtool").arg("--version").output().is_err() {
        eprintln!("skipped: promtool is not installed");
        return;
    }
    let mut cases: Vec<(String, f64)> = KNOWN
        .iter()
        .filter(|(template, ..)| !UNKNOWN.iter().any(|it| template.contains(it)))
        .map(|(template, value, _)| ((*template).to_owned(), *value))
        .collect();
    cases.extend(VALUES.iter().flat_map(|value| OF_VALUES.iter().map(|it| ((*it).to_owned(), *value))));
    let small = VALUES.iter().filter(|it| it.is_nan() || it.is_infinite() || it.abs() <= 9e9);
    cases.extend(small.map(|value| ("{{ humanizeTimestamp $value }}".to_owned(), *value)));
    let folder = tempfile::tempdir().unwrap();
    let (rules, tests) = files(&cases);
    std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
    std::fs::write(folder.path().join("tests.yml"), tests).unwrap();
    let ran = Command::new("promtool")
        .args(["test", "rules", "tests.yml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{words}");
    assert!(words.contains("SUCCESS"), "{words}");
}

/// A rule file with an alert per case, and the unit tests that expect what we render. JSON is YAML.
fn files(cases: &[(String, f64)]) -> (String, String) {
    // Every value has its minute of the series.
    let mut values: Vec<f64> = Vec::new();
    let (mut rules, mut expected) = (String::new(), String::new());
    for (at, (template, value)) in cases.iter().enumerate() {
        let minute = values.iter().position(|it| it.to_bits() == value.to_bits()).unwrap_or(values.len());
        if minute == values.len() {
            values.push(*value);
        }
        let rendered = serde_json::json!(render(template, *value).unwrap());
        // There, the order of a selector's series is that of their hashes.
        let template = serde_json::json!(template.replace("query \"q\"", "query \"sort(q)\""));
        let _ = writeln!(rules, "  - {{alert: A{at}, expr: m, annotations: {{text: {template}}}}}");
        let _ = writeln!(
            expected,
            "  - {{eval_time: {minute}m, alertname: A{at}, exp_alerts: [{{exp_labels: {SHOWN}, \
             exp_annotations: {{text: {rendered}}}}}]}}"
        );
    }
    let m: Vec<String> = values.iter().map(|it| format!("{it:?}").replace("inf", "Inf")).collect();
    let tests = format!(
        "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n- interval: 1m\n  \
         external_labels: {{cluster: eu-1}}\n  external_url: https://ops.example.org/prom\n  input_series:\n  \
         - {{series: 'm{MATCHED}', values: '{}'}}\n  \
         - {{series: 'q{{host=\"a\",zone=\"z1\"}}', values: '1.5x99'}}\n  \
         - {{series: 'q{{host=\"b\",zone=\"z1\"}}', values: '3x99'}}\n  \
         - {{series: 'q{{host=\"c\",zone=\"z1\"}}', values: '2e7x99'}}\n  alert_rule_test:\n{expected}",
        m.join(" ")
    );
    (format!("groups:\n- name: g\n  rules:\n{rules}"), tests)
}

const SHOWN: &str = r#"{instance: "db-1.example.org:9100", job: node, msg: "a <b> \"c\" ü"}"#;
const MATCHED: &str = r#"{instance="db-1.example.org:9100",job="node",msg="a <b> \"c\" ü"}"#;
