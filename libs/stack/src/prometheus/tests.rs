use super::*;

fn read(text: &str) -> (Prometheus, Vec<String>) {
    let (it, faults) = parse(text, Path::new("/nowhere"));
    (it, faults.into_iter().map(|(problem, _)| problem).collect())
}

#[test]
fn a_configuration_means_what_it_means_to_prometheus() {
    let (it, faults) = read(
        "global:\n  scrape_interval: 30s\n  evaluation_interval: 1m\n  external_labels: {dc: eu, nr: 7}\n\
         rule_files: ['rules/*.yml', /etc/a.yml]\nalerting: {alertmanagers: []}\nstorage: {tsdb: {}}\n\
         remote_write:\n- url: https://vm.example/api/v1/write\n\
         scrape_configs:\n\
         - job_name: a\n  static_configs:\n  - targets: [h:1, 'h:2']\n    labels: {env: prod}\n  - targets: ['[::1]:3']\n\
         - job_name: b\n  scrape_interval: 5s\n  metrics_path: /probe\n  scheme: https\n  honor_labels: true\n\
        \x20 honor_timestamps: false\n  sample_limit: 10\n  params: {module: [http_2xx], target: [x, y]}\n\
        \x20 relabel_configs:\n  - source_labels: [__address__]\n    target_label: __param_target\n\
        \x20 metric_relabel_configs:\n  - {source_labels: [__name__], regex: 'go_.*', action: drop}\n",
    );
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(it.evaluation_interval, Some(Duration::from_secs(60)));
    assert_eq!(it.external_labels.get("nr").map(String::as_str), Some("7"));
    assert_eq!(it.rules, ["/nowhere/rules/*.yml", "/etc/a.yml"]);
    assert_eq!(it.remarks.len(), 4, "{:?}", it.remarks);
    let [a, b] = it.scrape.as_slice() else { panic!("{:?}", it.scrape) };
    assert_eq!((a.interval.as_secs(), a.timeout.as_secs(), a.path.as_str()), (30, 10, "/metrics"));
    let addresses: Vec<&str> = a.targets.iter().map(|it| it.address.as_str()).collect();
    assert_eq!(addresses, ["h:1", "h:2", "[::1]:3"]);
    assert_eq!((b.timeout.as_secs(), b.scheme.as_str(), b.sample_limit), (5, "https", 10));
    assert!(b.honor_labels && !b.honor_timestamps && a.honor_timestamps);
    assert_eq!((b.params.len(), b.relabel.len(), b.metric_relabel.len()), (3, 1, 1));
}

#[test]
fn what_is_wrong_is_told_with_line_and_key() {
    for (text, words) in [
        ("a: [", "not YAML"),
        ("- 1", "line 1: : this is no mapping"),
        ("globl: {}", "globl: unknown key"),
        ("global: {scrape_interval: soon}", "line 1: global.scrape_interval: \"soon\" is not a span"),
        ("global: {scrape_interval: 5s, scrape_timeout: 6s}", "longer than the interval"),
        (
            "scrape_configs:\n- job_name: a\n  basic_auth: {}",
            "line 3: scrape_configs[0].basic_auth: this is not supported",
        ),
        ("scrape_configs:\n- job_name: a\n  tls_config: {}", "not supported"),
        ("scrape_configs:\n- job_name: a\n  kubernetes_sd_configs: []", "not supported"),
        ("scrape_configs:\n- job_name: a\n  static_config: []", "unknown key \"static_config\""),
        ("scrape_configs:\n- static_configs: []", "job_name is missing"),
        ("scrape_configs:\n- job_name: a\n- job_name: a", "twice"),
        ("scrape_configs:\n- job_name: a\n  static_configs: [{targets: ['http://h']}]", "is not host:port"),
        ("scrape_configs:\n- job_name: a\n  relabel_configs: [{action: kep}]", "not an action"),
        (
            "scrape_configs:\n- job_name: a\n  relabel_configs: [{action: keep, regex: '('}]",
            "no regular expression",
        ),
        ("rule_files: ['a*/b.yml']", "only the last part"),
        ("remote_write: [{url: 'ftp://x'}]", "no URL"),
    ] {
        let (_, faults) = read(text);
        assert!(
            faults.len() == 1 && faults.iter().any(|it| it.contains(words)),
            "{text}: {words}: {faults:?}"
        );
    }
}

#[test]
fn rubbish_is_survived() {
    let pieces = [
        "a",
        ":",
        " ",
        "\n",
        "- ",
        "{",
        "}",
        "[",
        "]",
        "&x",
        "*x",
        "'",
        "\"",
        "|",
        "global:",
        "\t",
        "scrape_configs:\n",
        "ü",
        "? ",
    ];
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..5_000 {
        let mut text = String::new();
        for _ in 0..12 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.extend(pieces.get((seed >> 33) as usize % pieces.len()).copied());
        }
        read(&text);
    }
    let deep = "[".repeat(100_000);
    assert_eq!(read(&deep).1.len(), 1);
    let bomb = format!(
        "a: &a [x,x,x,x,x,x,x,x,x]\n{}",
        (0..20).fold(String::new(), |text, i| {
            let (name, before) =
                (format!("a{i}"), if i == 0 { "a".to_owned() } else { format!("a{}", i - 1) });
            text + &format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(","))
        })
    );
    assert_eq!(read(&bomb).1.len(), 1);
}
