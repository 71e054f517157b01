#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use super::*;

fn none(_: &str) -> Option<String> {
    None
}

fn load(text: &str) -> Result<Loaded, Vec<Fault>> {
    Routing::load("am.yml", text, &none)
}

fn shared() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("INSIGHTDESK_SHARED") {
        return Some(PathBuf::from(folder).join("data"));
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().map(|folder| folder.join("shared/data")).find(|folder| folder.is_dir())
}

#[test]
fn the_teams_own_file_loads() {
    let Some(path) =
        shared().map(|folder| folder.join("rules/alertmanager.yml")).filter(|path| path.exists())
    else {
        println!("skipped: shared data absent");
        return;
    };
    let text = std::fs::read_to_string(&path).unwrap();
    let lookup = |name: &str| Some(format!("https://hooks.example/{name}/0123456789abcdef01234567"));
    let loaded = Routing::load("alertmanager.yml", &text, &lookup).unwrap();
    assert_eq!(loaded.remarks, []);
    let labels = [("severity".to_owned(), "critical".to_owned())].into();
    let receivers: Vec<_> = loaded.routing.routes(&labels).iter().map(|it| it.receiver).collect();
    assert_eq!(receivers, ["critical"]);
    let critical = loaded.routing.receiver("critical").unwrap();
    let keys: Vec<_> = critical.integrations.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(keys, ["slack/0", "pagerduty/0", "email/0"]);
    assert!(!loaded.routing.public.to_string().contains("hooks.example"));
    // Without its variables it still loads, and says which are missing.
    let remarks = Routing::load("alertmanager.yml", &text, &none).unwrap().remarks;
    for name in ["SMTP_PASSWORD", "SLACK_WEBHOOK_URL", "PAGERDUTY_KEY"] {
        assert!(remarks.iter().any(|it| it.problem.contains(name)), "{remarks:#?}");
    }
}

#[test]
fn all_faults_are_told_at_once_with_line_place_and_fix() {
    let faults = load(
        "global: {resolve_timeot: 5m}
route:
  receiver: nobody
  matchers: [a=b]
  group_interval: 0s
  continue: true
  group_by: ['...', alertname]
  routes:
  - reciever: ops
    matchers: ['severity=~\"(\"', 5]
    repeat_interval: 0s
  - mute_time_intervals: [nigt]
    group_by: [a, a, '']
    group_wait: 5 minutes
    routes: nothing
    match: {'a-b': c}
receivers:
- name: ops
- name: ops
- webhok_configs: []
- name: x
  colour: red
inhibit_rules:
- equal: ['']
  source_matchers: [severity=critical]
  target_matchers: [severity]
  targets: []
time_intervals:
- name: night
- name: night
- {}
",
    )
    .unwrap_err();
    let told: Vec<_> = faults
        .iter()
        .map(|it| format!("{} {}: {} ({})", it.line.unwrap_or(0), it.place, it.problem, it.fix))
        .collect();
    let expected = [
        "1 global: the key \"resolve_timeot\" is not known (write resolve_timeout)",
        "19 receivers[1]: the receiver \"ops\" is there twice (give each its own name)",
        "20 receivers[2]: the receiver has no name (write name: …)",
        "22 receivers[3]: the key \"colour\" is not known (known are name, labels, webhook_configs, slack_configs, \
         pagerduty_configs, email_configs, opsgenie_configs, discord_configs, alertmanager_configs, log_configs)",
        "30 time_intervals[1]: the time interval \"night\" is there twice (give each its own name)",
        "31 time_intervals[2]: the interval has no name (write name: …)",
        "27 inhibit_rules[0]: the key \"targets\" is not known (known are name, source_match, source_match_re, \
         source_matchers, sources, target_match, target_match_re, target_matchers, equal)",
        "26 inhibit_rules[0].target_matchers[0]: the matcher \"severity\" cannot be read: one of =, !=, =~ and !~ is \
         expected at its end (write it like severity=\"critical\")",
        "24 inhibit_rules[0].equal[0]: a label's name is empty (remove it)",
        "4 route.matchers: the first route takes every alert and has no matchers (move it to a route below)",
        "6 route.continue: nothing comes after the first route (remove it)",
        "5 route.group_interval: group_interval is zero (write at least 1s)",
        "3 route.receiver: there is no receiver \"nobody\" (add it to receivers)",
        "7 route.group_by: '...' is every label; no other stands beside it (write group_by: ['...'])",
        "9 route.routes[0]: the key \"reciever\" is not known (write receiver)",
        "10 route.routes[0].matchers[0]: the matcher \"severity=~\\\"(\\\"\" cannot be read: unclosed group (write it \
         like severity=\"critical\")",
        "10 route.routes[0].matchers[1]: the matcher \"5\" cannot be read: one of =, !=, =~ and !~ is expected at its \
         end (write it like severity=\"critical\")",
        "11 route.routes[0].repeat_interval: repeat_interval is zero (write at least 1s)",
        "16 route.routes[1].match: \"a-b\" is not a label's name (use matchers for it)",
        "14 route.routes[1].group_wait: \"5 minutes\" is not a duration (write it like 90s, 5m or 1h30m)",
        "13 route.routes[1].group_by: the label \"a\" is there twice (remove one)",
        "13 route.routes[1].group_by: a label's name is empty (remove it)",
        "12 route.routes[1].mute_time_intervals[0]: there is no time interval \"nigt\" (write night)",
        "15 route.routes[1].routes: a list is expected, and a text stands there ()",
    ];
    assert_eq!(told, expected);
    assert!(faults.iter().all(|fault| fault.file == "am.yml"));
}

#[test]
fn a_file_without_a_route_or_that_is_no_yaml_is_one_fault() {
    for (text, problem) in [
        ("", "there is no route"),
        ("# nothing\n", "there is no route"),
        ("receivers: []", "there is no route"),
        ("route:\n", "there is no route"),
        ("route: {receiver: r}\nroute: {receiver: r}\nreceivers: [{name: r}]", "duplicate"),
        ("route: [", ""),
        ("- a", "a table is expected, and a list stands there"),
    ] {
        let faults = load(text).unwrap_err();
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        assert!(faults[0].problem.contains(problem), "{text}: {faults:?}");
    }
    let faults = load(&"#".repeat(LARGEST + 1)).unwrap_err();
    assert_eq!(faults[0].problem, "the file is larger than 1048576 bytes");
}

#[test]
fn variables_are_filled_in_and_those_not_set_are_told() {
    let text = "route: {receiver: '${WHO}', routes: [{matchers: ['a=${X}'], labels: {l: '${Y}${Y}'}}]}\nreceivers: [{name: ops}]\n";
    let lookup = |name: &str| match name {
        "WHO" => Some("ops".to_owned()),
        "X" => Some("b".to_owned()),
        _ => None,
    };
    let loaded = Routing::load("am.yml", text, &lookup).unwrap();
    assert_eq!(loaded.routing.tree.as_slice()[1].key, "{}/{a=\"b\"}");
    assert_eq!(loaded.routing.tree.as_slice()[1].labels["l"], "${Y}${Y}");
    let remarks: Vec<_> = loaded.remarks.iter().map(ToString::to_string).collect();
    assert_eq!(remarks, ["am.yml:1: ${Y} is not set and stays as it is (set Y)"]);
    // What is shown has the names and never the values.
    assert_eq!(loaded.routing.public["route"]["receiver"], "${WHO}");
}

#[test]
fn kinds_that_are_not_sent_are_remarks_and_unknown_ones_are_faults() {
    let text = |kind: &str| format!("route: {{receiver: r}}\nreceivers:\n- name: r\n  {kind}: [{{}}]\n");
    for kind in ["telegram_configs", "msteamsv2_configs", "incidentio_configs", "mattermost_configs"] {
        let remarks = load(&text(kind)).unwrap().remarks;
        assert_eq!(remarks.len(), 1, "{kind}");
        assert_eq!((remarks[0].line, remarks[0].place.as_str()), (Some(4), &*format!("receivers[0].{kind}")));
        assert!(remarks[0].problem.starts_with("is not sent; "), "{remarks:?}");
    }
    let faults = load(&text("slak_configs")).unwrap_err();
    assert_eq!((faults.len(), faults[0].fix.as_str()), (1, "write slack_configs"), "{faults:?}");
    assert_eq!(faults[0].place, "receivers[0].slak_configs[0]");
}

#[test]
fn the_older_sections_and_lenient_values_are_read_as_alertmanager_reads_them() {
    let loaded = load(
        "global:
route:
  receiver: r
  routes:
  - &shared
    match: {code: 0500, flag: yes, on: true}
    continue: yes
    active_time_intervals: [old]
  - <<: *shared
    receiver: r
receivers: [{name: r, labels: {team: a}}]
mute_time_intervals: [{name: old, time_intervals: [{years: [2030]}]}]
templates: ['a/*.tmpl']
tracing: {endpoint: x}
",
    )
    .unwrap();
    let routes = loaded.routing.tree.as_slice();
    assert_eq!(routes[1].key, "{}/{code=\"0500\",flag=\"yes\",on=\"true\"}");
    assert_eq!(routes[2].key, routes[1].key);
    assert!(routes[1].continues && routes[2].continues);
    assert_eq!(routes[1].active, ["old"]);
    assert_eq!(loaded.routing.templates, ["a/*.tmpl"]);
    assert_eq!(loaded.routing.receiver("r").unwrap().labels["team"], "a");
    assert_eq!(loaded.remarks.len(), 1);
}

#[test]
fn several_sources_of_an_inhibition_are_read_and_stand_alone() {
    let text = |more: &str| {
        format!(
            "route: {{receiver: r}}\nreceivers: [{{name: r}}]\ninhibit_rules:\n- target_matchers: [a=b]\n  sources:\n  \
             - {{source_matchers: [c=d], equal: [z, y, z]}}\n  - {{source_match: {{e: f}}}}\n{more}"
        )
    };
    let loaded = load(&text("")).unwrap();
    let rule = &loaded.routing.inhibit_rules[0];
    assert_eq!(rule.sources.len(), 2);
    assert_eq!(rule.sources[0].equal, ["y", "z"]);
    assert_eq!(rule.sources[1].matchers.to_string(), "{e=\"f\"}");
    assert_eq!(loaded.remarks.len(), 1, "Alertmanager does not know it");
    let faults = load(&text("  equal: [x]\n")).unwrap_err();
    assert_eq!(faults[0].fix, "move equal into one of the sources");
}

#[test]
fn too_many_or_too_deep_routes_and_too_many_receivers_are_faults() {
    let many = |count: usize| {
        format!("route:\n  receiver: r\n  routes:\n{}receivers: [{{name: r}}]\n", "  - {}\n".repeat(count))
    };
    assert_eq!(load(&many(9_999)).unwrap().routing.tree.as_slice().len(), 10_000);
    let faults = load(&many(10_050)).unwrap_err();
    assert_eq!(
        faults.iter().filter(|it| it.problem == "there are more than 10000 routes").count(),
        faults.len()
    );
    let deep = |depth: usize| {
        let open = "routes: [{".repeat(depth);
        format!("route: {{receiver: r, {open}{}}}\nreceivers: [{{name: r}}]\n", "}]".repeat(depth))
    };
    assert_eq!(load(&deep(32)).unwrap().routing.tree.as_slice().len(), 33);
    let faults = load(&deep(33)).unwrap_err();
    assert_eq!(faults[0].problem, "routes nest deeper than 32");
    assert!(load(&deep(5_000)).is_err());
    let names = (0..1_001).map(|at| format!("- name: r{at}\n")).collect::<String>();
    let faults = load(&format!("route: {{receiver: r0}}\nreceivers:\n{names}")).unwrap_err();
    assert_eq!(faults[0].problem, "there are more than 1000 receivers");
}

#[test]
fn no_bytes_make_it_panic() {
    let file = "route: {receiver: r, routes: [{matchers: ['a=~\"b|c\"'], group_by: [...], group_wait: 30s}]}\n\
                receivers: [{name: r, slack_configs: [{channel: '${X}'}]}]\n\
                time_intervals: [{name: t, time_intervals: [{times: [{start_time: '09:00', end_time: '24:00'}]}]}]\n";
    let mut state = 11_u64;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    for _ in 0..4_000 {
        let mut bytes = file.as_bytes().to_vec();
        for _ in 0..=below(4) {
            let at = below(bytes.len());
            match below(3) {
                0 => bytes[at] = *b"{}[]:,-&*!|>'\"%@`#?\n\t 0a\\\xff".get(below(26)).unwrap(),
                1 => drop(bytes.drain(at..(at + below(20)).min(bytes.len()))),
                _ => bytes.insert(at, u8::try_from(below(256)).unwrap()),
            }
        }
        let _ = load(&String::from_utf8_lossy(&bytes));
    }
    let laughs = "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b]\n\
                  d: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e]\n\
                  g: [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]\n";
    assert!(load(laughs).is_err());
}
