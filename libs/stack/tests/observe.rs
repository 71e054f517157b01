//! `[alerts]`, `[telemetry]`, `[scrape.NAME]` and `metrics` of a service, and the Prometheus configuration that they may name.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use ops_contract::{RelabelAction, ServiceName};
use ops_stack::{Context, StackFile, parse, report};

fn context() -> Context {
    Context { insightdesk: "/opt/insightdesk".into(), state_dir: "/state".into(), base_dir: "/".into() }
}

fn with(more: &str) -> String {
    format!("[stack]\nname = \"desk\"\n{more}")
}

#[track_caller]
fn good_in(context: &Context, more: &str) -> StackFile {
    parse(&with(more), context).unwrap_or_else(|faults| panic!("{}", report("stack", &faults)))
}

#[track_caller]
fn check(more: &str, line: usize, key: &str, word: &str) {
    let faults = parse(&with(more), &context()).err().unwrap_or_default();
    let [fault] = faults.as_slice() else {
        panic!("expected one fault ({word}) in:\n{more}\nfound:\n{}", report("stack", &faults));
    };
    assert_eq!((fault.line, fault.key.as_str()), (line, key), "{fault}");
    assert!(fault.to_string().contains(word), "{word:?} is not in: {fault}");
    assert!(!fault.fix.is_empty(), "{fault}");
}

#[test]
fn every_key_is_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("rules")).unwrap();
    fs::write(folder.path().join("rules/a.yml"), "").unwrap();
    let context = Context { base_dir: folder.path().to_owned(), ..context() };
    let file = good_in(
        &context,
        r#"
[secrets.T]
from = "env"
[alerts]
rules = ["rules/*.yml"]
builtin = false
evaluation_interval = "5s"
query_url = "https://vm.example/select/"
query_token_secret = "T"
external_labels = { dc = "eu" }
[telemetry]
retention = "30d"
retention_size = "2GiB"
max_series = 1000
out_of_order = "1m"
remote_write = ["http://a/write", { url = "http://b/write", token_secret = "T" }]
[scrape.node]
targets = ["h:1", { address = "h:2", labels = { a = "own" } }]
scheme = "https"
path = "/m"
params = { x = "1", y = ["2", "3"] }
interval = "5s"
timeout = "2s"
labels = { a = "all", b = "all" }
honor_labels = true
honor_timestamps = false
sample_limit = 9
relabel = [{ source_labels = ["a"], target_label = "c" }]
metric_relabel = [{ action = "labeldrop", regex = "x.*" }]
[scrape."my job"]
targets = []
"#,
    );
    let (alerts, telemetry) = (&file.stack.alerts, &file.stack.telemetry);
    assert_eq!(alerts.rules, [folder.path().join("rules/*.yml").to_string_lossy()]);
    assert_eq!((alerts.builtin, alerts.evaluation_interval), (false, Duration::from_secs(5)));
    assert_eq!(alerts.query_url.as_deref(), Some("https://vm.example/select"));
    assert_eq!(alerts.query_token_secret.as_deref(), Some("T"));
    assert_eq!(alerts.external_labels["dc"], "eu");
    assert_eq!(telemetry.retention, Duration::from_secs(30 * 86_400));
    assert_eq!((telemetry.retention_bytes, telemetry.max_series), (2 << 30, 1000));
    assert_eq!(telemetry.out_of_order, Duration::from_secs(60));
    let receivers: Vec<_> =
        telemetry.remote_write.iter().map(|it| (&*it.url, it.token_secret.as_deref())).collect();
    assert_eq!(receivers, [("http://a/write", None), ("http://b/write", Some("T"))]);
    let [other, node] = file.stack.scrape.as_slice() else { panic!("{:?}", file.stack.scrape) };
    assert_eq!((other.job.as_str(), other.interval.as_secs(), other.timeout.as_secs()), ("my job", 15, 10));
    assert_eq!((node.job.as_str(), node.scheme.as_str(), node.path.as_str()), ("node", "https", "/m"));
    let labels: Vec<_> =
        node.targets.iter().map(|it| (&*it.address, &*it.labels["a"], &*it.labels["b"])).collect();
    assert_eq!(labels, [("h:1", "all", "all"), ("h:2", "own", "all")]);
    assert_eq!(node.params.len(), 3);
    assert!(node.honor_labels && !node.honor_timestamps && node.sample_limit == 9);
    assert_eq!(node.metric_relabel[0].action, RelabelAction::LabelDrop);
    assert_eq!((node.relabel[0].regex.as_str(), node.relabel[0].replacement.as_str()), ("(.*)", "$1"));
    assert_eq!(file.remarks, Vec::<String>::new());
}

#[test]
fn what_has_health_is_asked_for_metrics() {
    let metrics = |more: &str| {
        let file = good_in(&context(), &format!("[services.a]\nrun = \"sh\"\n{more}"));
        file.stack.services[&ServiceName::from("a")].metrics.clone()
    };
    assert_eq!(metrics("").as_deref(), Some("/metrics"));
    assert_eq!(metrics("health = false\n"), None);
    assert_eq!(metrics("health = false\nmetrics = \"/m\"\n").as_deref(), Some("/m"));
    assert_eq!(metrics("metrics = false\n"), None);
    assert_eq!(metrics("metrics = \"\"\n"), None);
    let stores = good_in(&context(), "[valkey.main]\ndevelopment = true\n[balancer]\nport = 8081\n");
    assert!(stores.stack.services.values().all(|it| it.metrics.is_none()));
}

#[test]
fn each_fault_names_its_line_its_key_and_its_cure() {
    check("[alerts]\nrules = [\"no/where/*.yml\"]\n", 4, "alerts.rules", "no file has this name");
    check("[alerts]\nrules = [\"a*/x.yml\"]\n", 4, "alerts.rules", "only the last part");
    check("[alerts]\nevaluation_interval = \"5ms\"\n", 4, "alerts.evaluation_interval", "too short");
    check("[alerts]\nquery_url = \"vm\"\n", 4, "alerts.query_url", "not a URL");
    check("[alerts]\nquery_url = \"http://u:hunter2@vm\"\n", 4, "alerts.query_url", "without user");
    check("[alerts]\nexternal_labels = { \"a-b\" = \"1\" }\n", 4, "alerts.external_labels.a-b", "label");
    check(
        "[secrets.T]\nfrom = \"env\"\n[alerts]\nquery_token_secret = \"T\"\n",
        6,
        "alerts.query_token_secret",
        "nobody",
    );
    check("[alerts]\nrule = 1\n", 4, "alerts.rule", "did you mean rules?");
    check("[telemetry]\nretention = \"5m\"\n", 4, "telemetry.retention", "an hour or more");
    check("[telemetry]\nretention_size = \"1GB\"\n", 4, "telemetry.retention_size", "16 MiB or more");
    check("[telemetry]\nmax_series = 1\n", 4, "telemetry.max_series", "100 to");
    check(
        "[telemetry]\nremote_write = [{ token_secret = \"T\", url = \"http://a\" }]\n",
        4,
        "telemetry.remote_write.token_secret",
        "no secret",
    );
    check("[telemetry]\nremote_write = [{}]\n", 4, "telemetry.remote_write.url", "url is missing");
    check("[telemetry]\nremote_write = \"http://a\"\n", 4, "telemetry.remote_write", "of type string");
    check("[telemetry]\nprometheus_file = \"none.yml\"\n", 4, "telemetry.prometheus_file", "cannot be read");
    check("[scrape.a]\n", 3, "scrape.a.targets", "targets is missing");
    check("[scrape.a]\ntargets = [\"http://h:1/x\"]\n", 4, "scrape.a.targets", "not host:port");
    check("[scrape.a]\ntargets = [{ labels = {} }]\n", 4, "scrape.a.targets.address", "address is missing");
    let scrape = "[scrape.a]\ntargets = [\"h:1\"]\n";
    check(&format!("{scrape}timeout = \"20s\"\n"), 5, "scrape.a.timeout", "longer than interval");
    check(&format!("{scrape}interval = \"500ms\"\n"), 5, "scrape.a.interval", "each second");
    check(&format!("{scrape}path = \"metrics\"\n"), 5, "scrape.a.path", "begin with /");
    check(&format!("{scrape}scheme = \"ftp\"\n"), 5, "scrape.a.scheme", "http, https");
    check(
        &format!("{scrape}relabel = [{{ regex = \"(\", target_label = \"x\" }}]\n"),
        5,
        "scrape.a.relabel",
        "regular expression",
    );
    check(
        &format!("{scrape}metric_relabel = [{{ action = \"kep\" }}]\n"),
        5,
        "scrape.a.metric_relabel.action",
        "did you mean keep?",
    );
    check("[services.a]\nrun = \"sh\"\nmetrics = \"up\"\n", 5, "services.a.metrics", "begin with /");
    check("[services.a]\nrun = \"sh\"\nmetrics = true\n", 5, "services.a.metrics", "of type boolean");
}

#[test]
fn a_prometheus_configuration_is_joined_and_the_stack_file_wins() {
    let folder = tempfile::tempdir().unwrap();
    let context = Context { base_dir: folder.path().to_owned(), ..context() };
    fs::write(
        folder.path().join("p.yml"),
        "global: {evaluation_interval: 1m, external_labels: {dc: us, rack: b}}\nrule_files: [r/*.yml]\n\
         scrape_configs: [{job_name: a, static_configs: [{targets: ['h:1']}]}]\n",
    )
    .unwrap();
    let file = good_in(
        &context,
        "[alerts]\nexternal_labels = { dc = \"eu\" }\n[telemetry]\nprometheus_file = \"p.yml\"\n",
    );
    let alerts = &file.stack.alerts;
    assert_eq!(alerts.evaluation_interval, Duration::from_secs(60));
    assert_eq!((alerts.external_labels["dc"].as_str(), alerts.external_labels["rack"].as_str()), ("eu", "b"));
    assert_eq!(alerts.rules, [folder.path().join("r/*.yml").to_string_lossy()]);
    assert_eq!((file.stack.scrape.len(), file.remarks.len()), (1, 1), "{:?}", file.remarks);
    let twice = "[telemetry]\nprometheus_file = \"p.yml\"\n[scrape.a]\ntargets = []\n";
    let faults = parse(&with(twice), &context).unwrap_err();
    assert!(faults.len() == 1 && faults[0].problem.contains("is also [scrape.a]"), "{faults:?}");
    fs::write(folder.path().join("p.yml"), "scrape_configs: [{job_name: a, basic_auth: {}}, {job_nam: b}]\n")
        .unwrap();
    let faults = parse(&with("[telemetry]\nprometheus_file = \"p.yml\"\n"), &context).unwrap_err();
    assert_eq!(faults.len(), 3, "{}", report("stack", &faults));
    assert!(faults.iter().all(|it| it.line == 4 && it.key == "telemetry.prometheus_file"), "{faults:?}");
}

/// The product team's own configuration.
#[test]
fn the_teams_configuration_loads_unchanged() {
    let shared = std::env::var_os("INSIGHTDESK_SHARED").map(PathBuf::from).or_else(|| {
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        here.ancestors().map(|it| it.join("shared")).find(|it| it.join("data").is_dir())
    });
    let Some(file) = shared.map(|it| it.join("data/rules/prometheus.yml")).filter(|it| it.is_file()) else {
        eprintln!("skipped: shared data absent");
        return;
    };
    let stack =
        good_in(&context(), &format!("[telemetry]\nprometheus_file = {:?}\n", file.to_string_lossy()));
    let jobs: Vec<&str> = stack.stack.scrape.iter().map(|it| it.job.as_str()).collect();
    let expected = [
        "prometheus",
        "insightdesk-api",
        "insightdesk-web",
        "insightdesk-worker",
        "postgres",
        "valkey",
        "node",
    ];
    assert_eq!(jobs, expected);
    assert!(stack.stack.scrape.iter().all(|it| it.interval.as_secs() == 15 && it.targets.len() == 1));
    assert_eq!(stack.stack.scrape[2].path, "/api/metrics");
    assert_eq!(stack.stack.alerts.rules, ["/etc/prometheus/rules/*.yml"]);
    assert_eq!(stack.remarks.len(), 2, "{:?}", stack.remarks);
}
