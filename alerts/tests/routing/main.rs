//! Holds our routes against those of a real Alertmanager's `amtool config routes test`.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::process::Command;

use ops_alerts::routing::Routing;

const FLAT: &str = r#"
route:
  receiver: default
  group_by: [alertname]
  routes:
  - match: {severity: critical}
    receiver: critical
    continue: true
  - match: {severity: warning}
    receiver: warning
  - matchers: ['team=~"web|db"', 'severity!="info"']
    receiver: teams
    continue: true
  - match_re: {instance: 'host-[0-3](:\d+)?'}
    receiver: hosts
receivers: [{name: default}, {name: critical}, {name: warning}, {name: teams}, {name: hosts}]
"#;

const NESTED: &str = r#"
route:
  receiver: root
  routes:
  - matchers: [team="web"]
    receiver: web
    continue: true
    routes:
    - matchers: [severity=critical]
      receiver: web-critical
      routes:
      - matchers: ['instance=~"host-1.*"']
        continue: true
      - matchers: ['instance!=""']
        receiver: web-host
    - matchers: ['severity=~"warning|info"', alertname!~"Disk.*"]
      receiver: web-rest
      continue: true
    - receiver: web-all
  - matchers: ['{team=~"web|db",}']
    receiver: data
    routes:
    - match: {team: db}
      match_re: {severity: 'crit.*|warn.*'}
      receiver: db
  - matchers: [team=""]
    receiver: nobody
receivers: [{name: root}, {name: web}, {name: web-critical}, {name: web-host}, {name: web-rest}, {name: web-all},
            {name: data}, {name: db}, {name: nobody}]
"#;

const ODD: &str = r#"
route:
  receiver: root
  routes:
  - matchers: [ alertname = ApiDown , "severity =~ .+" ]
    receiver: spaces
    continue: true
  - matchers: ['alertname="Say \"hi\", all"']
    receiver: quotes
  - matchers: ['instance=~"host-1|"', 'team!~"|web"']
    receiver: empty
    continue: true
  - matchers: ['severity=~"(?i)CRITICAL"']
    receiver: case
    routes:
    - matchers: ['team=~"[a-c].+|web"', 'alertname=~"^Api.*$"']
      receiver: anchors
      continue: true
    - matchers: []
      receiver: after
  - matchers: ['severity=']
    receiver: none
receivers: [{name: root}, {name: spaces}, {name: quotes}, {name: empty}, {name: case}, {name: anchors}, {name: after},
            {name: none}]
"#;

const VALUES: &[(&str, &[&str])] = &[
    ("alertname", &["ApiDown", "DiskFull", "Say \"hi\", all", "Other"]),
    ("severity", &["critical", "warning", "info", "CRITICAL"]),
    ("team", &["web", "db", "cx", "webb"]),
    ("instance", &["host-1", "host-1:9100", "host-3:x", "host-9"]),
];

/// The same label sets each time.
fn label_sets(count: usize) -> Vec<BTreeMap<String, String>> {
    let mut state = 3_u64;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    let mut set = || {
        let mut labels = BTreeMap::new();
        for (name, values) in VALUES {
            if below(4) > 0 {
                labels.insert((*name).to_owned(), values[below(values.len())].to_owned());
            }
        }
        labels
    };
    (0..count).map(|_| set()).collect()
}

fn amtool(config: &std::path::Path, labels: &BTreeMap<String, String>) -> String {
    let pairs = labels.iter().map(|(name, value)| format!("{name}={}", value.replace('"', "\\\"")));
    let output = Command::new("amtool")
        .args(["config", "routes", "test", "--config.file"])
        .arg(config)
        .args(pairs)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn alerts_go_where_amtool_says() {
    if Command::new("amtool").arg("--version").output().is_err() {
        println!("skipped: amtool is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, file) in [("flat", FLAT), ("nested", NESTED), ("odd", ODD)] {
        let path = folder.path().join(format!("{name}.yml"));
        std::fs::write(&path, file).unwrap();
        let routing =
            Routing::load(name, file, &|_| None).unwrap_or_else(|faults| panic!("{faults:#?}")).routing;
        // What is shown of the file is one that routes in the same way.
        let shown = folder.path().join(format!("{name}.json"));
        std::fs::write(&shown, routing.public.to_string()).unwrap();
        let mut seen = BTreeMap::new();
        for (at, labels) in label_sets(200).into_iter().enumerate() {
            let ours: Vec<&str> = routing.routes(&labels).iter().map(|routed| routed.receiver).collect();
            let ours = ours.join(",");
            assert_eq!(ours, amtool(&path, &labels), "{name}: {labels:?}");
            if at % 20 == 0 {
                assert_eq!(ours, amtool(&shown, &labels), "{name}, as shown: {labels:?}");
            }
            *seen.entry(ours).or_insert(0) += 1;
        }
        println!("{name}: 200 label sets are equal; they go to {seen:?}");
        assert!(seen.len() >= 4, "{name}: {seen:?}");
    }
}
