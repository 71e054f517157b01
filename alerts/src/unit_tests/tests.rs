use super::*;
use crate::rules::RuleFile;

const RULES: &str = r#"
groups:
- name: one
  interval: 30s
  rules:
  - record: job:up:sum
    expr: sum by (job) (up)
  - alert: Down
    expr: job:up:sum == 0
    for: 2m
    labels: {severity: critical, 'cluster': '{{ $externalLabels.cluster }}'}
    annotations:
      summary: "{{ $labels.job }} is {{ $value }} at {{ externalURL }}"
"#;

const TEST: &str = r#"
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
- name: down for long
  interval: 1m
  external_labels: {cluster: eu}
  external_url: http://x.test/p
  input_series:
  - series: up{job="api", slot="0"}
    values: 1 0x3 1x5
  alert_rule_test:
  - eval_time: 2m
    alertname: Down
  - eval_time: 3m30s
    alertname: Down
    exp_alerts:
    - exp_labels: {severity: critical, job: api, cluster: eu}
      exp_annotations: {summary: api is 0 at http://x.test/p}
  - eval_time: 5m
    alertname: Down
  promql_expr_test:
  - expr: job:up:sum + 0.5
    eval_time: 1m
    exp_samples:
    - labels: '{job="api"}'
      value: 0.5
  - expr: ALERTS
    eval_time: 4m
    exp_samples:
    - labels: ALERTS{alertname="Down", alertstate="firing", severity="critical", job="api", cluster="eu"}
      value: 1
  - expr: 1 / 0
    exp_samples: [{value: .inf}]
  - expr: nosuch
"#;

fn ran(test: &str) -> Report {
    let rules = [RuleFile::parse("rules.yml", RULES).unwrap()];
    run(&TestFile::parse(test).unwrap(), &rules, &|_| true)
}

#[test]
fn what_is_as_expected_passes() {
    let report = ran(TEST);
    assert_eq!(report.tests[0].faults, []);
    assert_eq!((report.failed(), report.checks()), (0, 7));
}

#[test]
fn differences_are_told_in_words() {
    let wrong = TEST
        .replace("api is 0 at", "api is gone at")
        .replace("value: 0.5", "value: 0.25")
        .replace("- eval_time: 5m\n    alertname: Down", "- eval_time: 3m\n    alertname: Down");
    let report = ran(&wrong);
    let words: Vec<String> = report.tests[0].faults.iter().map(ToString::to_string).collect();
    let words = words.join("\n");
    for line in [
        "alert Down at 3m30s:\n  fires, with other annotations: {alertname=\"Down\", cluster=\"eu\", job=\"api\", severity=\"critical\"}",
        "    summary: expected \"api is gone at http://x.test/p\"\n    summary: got      \"api is 0 at http://x.test/p\"",
        "alert Down at 3m:\n  fires and should not: {alertname=\"Down\"",
        "expression job:up:sum + 0.5 at 1m:\n  expected {job=\"api\"} 0.25\n  got      {job=\"api\"} 0.5",
    ] {
        assert!(words.contains(line), "{line}\nis not in\n{words}");
    }
    assert_eq!(report.failed(), 1);
}

#[test]
fn a_series_that_ends_resolves_its_alert_as_in_prometheus() {
    let test = TEST
        .replace("values: 1 0x3 1x5", "values: 0x4")
        .replace("- eval_time: 5m\n", "- eval_time: 20m\n")
        .replace("- eval_time: 2m\n", "- eval_time: 1m\n");
    let faults: Vec<_> = ran(&test)
        .tests
        .remove(0)
        .faults
        .into_iter()
        .filter(|it| matches!(it, Fault::Alerts { .. }))
        .collect();
    assert_eq!(faults, []);
}

#[test]
fn rules_that_fail_and_inputs_that_are_wrong_are_faults() {
    let double = ran(&TEST.replace("up{job=\"api\", slot=\"0\"}", "up{job=\"api\", slot=\"0\""));
    assert!(matches!(&double.tests[0].faults[..], [Fault::Input { .. }]), "{double:?}");
    let histogram = ran(&TEST.replace("1 0x3 1x5", "'{{schema:0 sum:1 count:1}}'"));
    assert!(histogram.tests[0].faults[0].to_string().contains("histogram"), "{histogram:?}");
    let rules = RULES.replace("job:up:sum == 0", "up * on () group_left () up");
    let rules = [RuleFile::parse("rules.yml", &rules).unwrap()];
    let test = TEST.replace("  input_series:", "  input_series:\n  - {series: 'up{job=\"b\"}', values: 1x9}");
    let report = run(&TestFile::parse(&test).unwrap(), &rules, &|_| true);
    assert!(
        matches!(&report.tests[0].faults[0], Fault::Rule { rule, .. } if rule == "one, Down"),
        "{report:?}"
    );
}

#[test]
fn only_tests_that_are_asked_for_run() {
    let rules = [RuleFile::parse("rules.yml", RULES).unwrap()];
    let file = TestFile::parse(TEST).unwrap();
    assert!(run(&file, &rules, &|name| name.contains("short")).tests.is_empty());
    assert_eq!(run(&file, &rules, &|name| name.contains("long")).tests.len(), 1);
}

#[test]
fn a_wrong_file_is_refused_with_its_line() {
    for (text, line, problem) in [
        ("tests:\n- intervall: 1m\n", 2, "intervall"),
        ("evaluation_interval: 5 minutes\n", 1, "no duration"),
        ("tests:\n- alert_rule_test:\n  - eval_time: 1m\n", 3, "alertname"),
        ("tests: [", 1, ""),
        ("tests:\n- promql_expr_test:\n  - expr: a\n    exp_samples: [{value: x}]\n", 4, "no number"),
    ] {
        let error = TestFile::parse(text).unwrap_err();
        assert!(error.problem.contains(problem), "{text}: {error}");
        assert!(error.line.abs_diff(line) <= 1, "{text}: line {}", error.line);
    }
    assert!(TestFile::parse(&"#".repeat(9 << 20)).is_err());
}

#[test]
fn rubbish_is_refused_and_endless_tests_too() {
    for (at, _) in TEST.char_indices() {
        if let Ok(file) = TestFile::parse(&TEST[..at]) {
            let _ = run(&file, &[], &|_| true);
        }
    }
    let long = ran(&TEST.replace("eval_time: 5m", "eval_time: 90y"));
    assert!(long.tests[0].faults[0].to_string().contains("longer than"), "{long:?}");
    let many = ran(&TEST.replace("1 0x3 1x5", "1x999999999999"));
    assert!(matches!(&many.tests[0].faults[..], [Fault::Input { .. }]), "{many:?}");
}
