//! Rules: the packs that people use load; the team's alerts fire and resolve when Prometheus says so; ours are complete.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use ops_alerts::rules::{RuleAction, RuleFile};
use ops_alerts::unit_tests::{Fault, Firing, TestFile, run};

/// Minutes of the incident.
const MINUTES: usize = 75;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The folder of the product team's and other people's rule files.
pub(crate) fn shared_rules() -> Option<PathBuf> {
    let shared = match std::env::var_os("INSIGHTDESK_SHARED") {
        Some(shared) => Some(PathBuf::from(shared)),
        None => repository().ancestors().map(|it| it.join("shared")).find(|it| it.join("data").is_dir()),
    };
    let found = shared.map(|it| it.join("data/rules")).filter(|it| it.is_dir());
    if found.is_none() {
        println!("skipped: shared data absent");
    }
    found
}

fn has_promtool() -> bool {
    let found = Command::new("promtool").arg("--version").output().is_ok();
    if !found {
        println!("skipped: promtool is not installed");
    }
    found
}

/// What `promtool test rules` says to a file in `folder`.
fn promtool(folder: &Path, file: &str) -> (bool, String) {
    let ran = Command::new("promtool").args(["test", "rules", file]).current_dir(folder).output().unwrap();
    let words = [ran.stdout, ran.stderr].concat();
    (ran.status.success(), String::from_utf8_lossy(&words).into_owned())
}

fn parsed(path: &Path) -> RuleFile {
    let text = std::fs::read_to_string(path).unwrap();
    RuleFile::parse(&path.display().to_string(), &text).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// Names of the alerts of a file.
fn alerts(file: &RuleFile) -> BTreeSet<String> {
    let rules = file.groups.iter().flat_map(|it| &it.rules);
    rules.filter(|it| it.is_alerting()).map(|it| it.name.clone()).collect()
}

#[test]
fn packs_of_other_people_load_without_a_fault() {
    let Some(folder) = shared_rules() else { return };
    let mut rules = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // These two are configurations, not rules.
        if !path.ends_with("prometheus.yml") && !path.ends_with("alertmanager.yml") {
            rules += parsed(&path).rules();
        }
    }
    assert!(rules > 90, "{rules} rules");
}

/// What we say fires, by minute and name of the alert.
fn said(test: &str, rules: &RuleFile) -> BTreeMap<(usize, String), Vec<Firing>> {
    let mut text = test.to_owned() + "  alert_rule_test:\n";
    for minute in 0..=MINUTES {
        for name in alerts(rules) {
            text += &format!("  - {{eval_time: {minute}m, alertname: {name}}}\n");
        }
    }
    let report = run(&TestFile::parse(&text).unwrap(), std::slice::from_ref(rules), &|_| true);
    let mut said = BTreeMap::new();
    for fault in report.tests.into_iter().flat_map(|it| it.faults) {
        let Fault::Alerts { alertname, at_s, unexpected, .. } = fault else { panic!("{fault}") };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is one of the minutes"
        )]
        said.insert(((at_s / 60.0) as usize, alertname), unexpected);
    }
    said
}

/// The same test for promtool, with what we said as what is expected. JSON is YAML.
fn expecting(test: &str, rules: &RuleFile, said: &BTreeMap<(usize, String), Vec<Firing>>) -> String {
    let mut text = format!("rule_files: [{}]\n{test}  alert_rule_test:\n", serde_json::json!(rules.name));
    for minute in 0..=MINUTES {
        for name in alerts(rules) {
            let firing = said.get(&(minute, name.clone())).map(Vec::as_slice).unwrap_or_default();
            let firing: Vec<_> = firing
                .iter()
                .map(|it| serde_json::json!({"exp_labels": it.labels, "exp_annotations": it.annotations}))
                .collect();
            let firing = serde_json::json!(firing);
            text += &format!("  - {{eval_time: {minute}m, alertname: {name}, exp_alerts: {firing}}}\n");
        }
    }
    text
}

#[test]
fn the_teams_alerts_fire_and_resolve_when_prometheus_says_so() {
    let Some(folder) = shared_rules() else { return };
    let rules = parsed(&folder.join("insightdesk-alerts.yml"));
    let test = include_str!("rules/incident.yml");
    let said = said(test, &rules);
    for name in alerts(&rules) {
        let minutes: Vec<usize> = said.keys().filter(|it| it.1 == name).map(|it| it.0).collect();
        assert!(!minutes.is_empty(), "{name} never fires");
        assert!(!minutes.contains(&0) && !minutes.contains(&MINUTES), "{name} fires at {minutes:?}");
    }
    if has_promtool() {
        let work = tempfile::tempdir().unwrap();
        std::fs::write(work.path().join("incident.yml"), expecting(test, &rules, &said)).unwrap();
        let (passed, words) = promtool(work.path(), "incident.yml");
        assert!(passed, "{words}");
        // The check can fail: one alert that is expected a minute too early is found.
        let ((minute, name), firing) = said.first_key_value().unwrap();
        let early = BTreeMap::from([((minute - 1, name.clone()), firing.clone())]);
        std::fs::write(work.path().join("early.yml"), expecting(test, &rules, &early)).unwrap();
        assert!(!promtool(work.path(), "early.yml").0);
    }
}

#[test]
fn the_built_in_alerts_say_what_they_mean_and_stand_in_the_reference() {
    let rules = RuleFile::parse("insightdesk.yml", ops_alerts::BUILT_IN).unwrap();
    let reference = std::fs::read_to_string(repository().join("docs/rules.md")).unwrap();
    for rule in rules.groups.iter().flat_map(|it| &it.rules) {
        let name = &rule.name;
        let RuleAction::Alert { annotations, .. } = &rule.action else { panic!("{name} is no alert") };
        assert!(annotations.keys().eq(["description", "runbook", "summary"]), "{name}: {annotations:?}");
        let severity = rule.labels.get("severity").map(|(text, _)| text.as_str());
        let severity = severity.filter(|it| ["critical", "warning", "info", "none"].contains(it));
        let entry = format!("| `{name}` | {} |", severity.unwrap_or("without severity"));
        assert!(reference.contains(&entry), "docs/rules.md has no line {entry}");
        for metric in &rule.query.reads().names {
            let listed = reference.contains(&format!("`{metric}`"));
            assert!(listed, "docs/rules.md does not list {metric} of {name}");
        }
    }
    let lines =
        reference.lines().filter(|it| it.starts_with("| `") && it.matches(" | ").count() == 4).count();
    assert_eq!(lines, alerts(&rules).len(), "docs/rules.md has lines of alerts that are not there");
}

#[test]
fn the_built_in_alerts_are_silent_without_data_and_fire_when_they_should() {
    let rules = RuleFile::parse("insightdesk.yml", ops_alerts::BUILT_IN).unwrap();
    let mut text = "evaluation_interval: 1m\ntests:\n- alert_rule_test:\n".to_owned();
    for name in alerts(&rules) {
        text += &format!("  - {{eval_time: 90m, alertname: {name}}}\n");
    }
    let report = run(&TestFile::parse(&text).unwrap(), std::slice::from_ref(&rules), &|_| true);
    let firing: Vec<_> = report.tests[0].faults.iter().map(ToString::to_string).collect();
    assert!(matches!(&firing[..], [only] if only.starts_with("alert Watchdog")), "{firing:#?}");

    let folder = repository().join("alerts/rules");
    let test = std::fs::read_to_string(folder.join("insightdesk_test.yml")).unwrap();
    let report = run(&TestFile::parse(&test).unwrap(), &[rules], &|_| true);
    let faults: Vec<String> =
        report.tests.iter().flat_map(|it| &it.faults).map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    if has_promtool() {
        let (passed, words) = promtool(&folder, "insightdesk_test.yml");
        assert!(passed, "{words}");
    }
}
