//! Rule files: those that people have, and rubbish.

use std::path::{Path, PathBuf};

use ops_alerts::rules::RuleFile;

pub(crate) fn shared() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("INSIGHTDESK_SHARED") {
        return Some(folder.into());
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().map(|it| it.join("shared")).find(|it| it.join("data").is_dir())
}

#[test]
fn the_files_that_people_have_load_without_a_fault() {
    let Some(folder) = shared().map(|it| it.join("data/rules")) else {
        println!("skipped: shared data absent");
        return;
    };
    let mut rules = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if ["alertmanager.yml", "prometheus.yml"].contains(&name) || !name.ends_with(".yml") {
            continue;
        }
        let file = RuleFile::parse(name, &std::fs::read_to_string(&path).unwrap());
        rules += file.unwrap_or_else(|faults| panic!("{name}: {faults:?}")).rules();
    }
    assert!(rules > 90, "{rules}");
}

#[test]
fn the_rules_that_come_with_the_program_load_without_a_fault() {
    let file = RuleFile::parse("insightdesk.yml", ops_alerts::BUILT_IN);
    let file = file.unwrap_or_else(|faults| panic!("{faults:?}"));
    assert!(file.rules() > 20);
}

#[test]
fn every_fault_is_told_with_its_place() {
    let yaml = r#"
groups:
  - name: g
    interval: 5 minutes
    rules:
      - alert: Bad
        expr: sum(
      - record: also bad{
        expr: up
        for: 5m
      - expr: up
      - alert: Worse
        expr: up[5m]
        labels: { a: "{{ .Nope" }
  - name: g
"#;
    let faults = RuleFile::parse("team/rules.yml", yaml).unwrap_err();
    let words: Vec<String> = faults.iter().map(ToString::to_string).collect();
    for wanted in [
        "interval: \"5 minutes\" is not a duration",
        "group g, alert Bad: the expression cannot be read",
        "\"also bad{\" is not a name",
        "for, keep_firing_for and annotations belong to alerts",
        "neither alert nor record",
        "gives neither a vector nor a number",
        "the label a cannot be read",
        "is there twice",
    ] {
        assert!(words.iter().any(|it| it.contains(wanted)), "{wanted}: {words:#?}");
    }
    assert!(words.iter().all(|it| it.starts_with("team/rules.yml:")), "{words:#?}");
    assert!(words.iter().any(|it| it.starts_with("team/rules.yml:6: ")), "{words:#?}");
}

#[test]
fn what_is_no_rule_file_is_a_fault_and_nothing_worse() {
    let bomb =
        format!("a: &a [x, x]\n{}", (0..60).map(|n| format!("b{n}: &b{n} [*a, *a]\n")).collect::<String>());
    let deep = "[".repeat(100_000);
    for text in ["groups: 5", "{", "groups: [{nam: x}]", "- a", &bomb, &deep, "groups:\n\t- x"] {
        assert!(RuleFile::parse("x.yml", text).is_err(), "{}", text.chars().take(40).collect::<String>());
    }
    assert_eq!(RuleFile::parse("x.yml", "").unwrap().rules(), 0);
    assert_eq!(RuleFile::parse("x.yml", "# nothing\n").unwrap().rules(), 0);
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let pieces = [
        "groups:", "- name: ", "x", "\n", "  ", "rules:", "expr: ", "up", "'", "\"", "{{", "}}", ": ", "&a",
        "*a", "|", "[", "]", "alert: ",
    ];
    for _ in 0..3_000 {
        let mut text = String::new();
        for _ in 0..30 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
        }
        let _ = RuleFile::parse("x.yml", &text);
    }
}
