//! The stack file as operators write it: what a good one means, and what is said of a bad one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ops_contract::{Environment, ReplicaBounds, ServiceName, ServiceRole, ServiceSpec, Stack};
use ops_stack::{Context, Fault, GrpcListen, KEYS, LATER, StackFile, load, parse, report, stack_hash};

fn context() -> Context {
    Context { insightdesk: "/opt/insightdesk".into(), state_dir: "/state".into(), base_dir: "/".into() }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[track_caller]
fn good(text: &str) -> StackFile {
    parse(text, &context()).unwrap_or_else(|faults| panic!("{}", report("stack", &faults)))
}

fn faults(text: &str) -> Vec<Fault> {
    parse(text, &context()).err().unwrap_or_default()
}

/// A development stack with `more` after its head.
fn with(more: &str) -> String {
    format!("[stack]\nname = \"desk\"\n{more}")
}

fn service<'s>(stack: &'s Stack, name: &str) -> &'s ServiceSpec {
    &stack.services[&ServiceName::from(name)]
}

/// One fault, on line `line`, whose key is `key`, and whose words hold `word`.
#[track_caller]
fn check(more: &str, line: usize, key: &str, word: &str) {
    let faults = faults(&with(more));
    let [fault] = faults.as_slice() else {
        panic!("expected one fault ({word}) in:\n{more}\nfound:\n{}", report("stack", &faults));
    };
    assert_eq!((fault.line, fault.key.as_str()), (line, key), "{fault}");
    assert!(fault.to_string().contains(word), "{word:?} is not in: {fault}");
    assert!(fault.column >= 1 && !fault.fix.is_empty(), "{fault}");
}

#[test]
fn a_service_of_one_line_has_the_seeds_defaults() {
    let file = good(&with("[services.a]\nrun = \"sh -c 'exec sleep 1'\"\n"));
    let spec = service(&file.stack, "a");
    assert_eq!(spec.program.command, ["sh", "-c", "exec sleep 1"]);
    assert_eq!(spec.replicas, ReplicaBounds { min: 1, max: 1 });
    assert_eq!(spec.role, ServiceRole::Background);
    let health = spec.health.as_ref().unwrap();
    let seconds = |span: Duration| span.as_secs();
    assert_eq!((seconds(health.interval), seconds(health.timeout), health.retries), (15, 2, 3));
    assert_eq!((seconds(health.start_period), health.path.as_str()), (5, "/health"));
    assert_eq!((spec.restart.max, seconds(spec.restart.window)), (3, 600));
    assert_eq!((seconds(spec.restart.backoff), seconds(spec.restart.backoff_max)), (1, 30));
    assert_eq!((seconds(spec.stop.grace), spec.stop.signal.as_str()), (30, "TERM"));
    assert_eq!(spec.restart.never_on, [78]);
    assert_eq!(file.server.listen.to_string(), "127.0.0.1:7700");
    assert_eq!(file.server.database, "sqlite:///state/state.db");
    assert_eq!(file.stack.environment, Environment::Development);
}

#[test]
fn grpc_is_beside_the_control_plane_unless_told_otherwise() {
    let grpc = |server: &str| good(&format!("[stack]\nname = \"d\"\n[server]\n{server}")).server.grpc;
    let at = |text: &str| text.parse().unwrap();
    assert_eq!(grpc(""), GrpcListen::IfFree(at("127.0.0.1:7701")));
    assert_eq!(grpc("listen = \"0.0.0.0:80\"\n"), GrpcListen::IfFree(at("0.0.0.0:7701")));
    assert_eq!(grpc("listen = \"127.0.0.1:7701\"\n"), GrpcListen::Off);
    assert_eq!(grpc("grpc = false\n"), GrpcListen::Off);
    assert_eq!(grpc("grpc = \"[::1]:9\"\n"), GrpcListen::At(at("[::1]:9")));
}

#[test]
fn production_has_the_seeds_replica_counts() {
    let file = good(
        "[stack]\nname = \"d\"\nenvironment = \"production\"\n\
         [services.web]\nrun = \"sh\"\nrole = \"frontend\"\n[services.job]\nrun = \"sh\"\n",
    );
    assert_eq!(service(&file.stack, "web").replicas, ReplicaBounds { min: 2, max: 4 });
    assert_eq!(service(&file.stack, "job").replicas, ReplicaBounds { min: 1, max: 3 });
}

#[test]
fn health_may_be_off_a_path_or_a_section() {
    for (text, path) in [
        ("false", None),
        ("\"/up\"", Some("/up")),
        ("{ path = \"/r\", interval = \"500ms\" }", Some("/r")),
        ("{}", Some("/health")),
    ] {
        let file = good(&with(&format!("[services.a]\nrun = \"sh\"\nhealth = {text}\n")));
        let health = service(&file.stack, "a").health.as_ref();
        assert_eq!(health.map(|it| it.path.as_str()), path, "{text}");
    }
}

#[test]
fn who_else_reads_a_secret_what_is_a_trap_and_what_is_unusual_is_said_in_the_file() {
    let text = with(
        "[secrets.TRAP]\nfrom = \"env\"\ncanary = true\nconsumers = [\"approle-x\"]\n[audit.findings]\noff = [\"R5\"]\n\
         learning = \"7d\"\nspread = 9\nhours = [\"07:00\", \"19:00\"]\nservice_networks = [\"10.0.0.0/8\"]\n",
    );
    let stack = good(&text).stack;
    let trap = &stack.secrets["TRAP"];
    assert_eq!((trap.canary, trap.consumers.as_slice()), (true, &["approle-x".to_owned()][..]));
    let spec = &stack.audit.findings;
    assert!(spec.off.contains("R5"));
    assert_eq!((spec.learning.as_secs(), spec.spread, spec.hours), (7 * 86_400, 9, Some([7, 19])));
    assert_eq!((spec.service_networks.as_slice(), spec.denied), (&["10.0.0.0/8".to_owned()][..], 5));
}

#[test]
fn references_become_addresses_and_secrets_stay_references() {
    let file = good(&with(
        r#"
[secrets.PW]
from = "env"
variable = "DESK_PW"
[postgres.main]
primary = "db:5432"
replicas = ["r1:5433", "r2:5434"]
database = "desk"
user = "app"
password_secret = "PW"
[postgres.lone]
primary = "lone:1"
[valkey.main]
address = "kv:6379"
[valkey.safe]
address = "kv2:6379"
password_secret = "PW"
[balancer]
port = 8081
[env]
A = "${postgres.main.url}"
B = "${postgres.main.replica_url}"
C = "${valkey.main.url}/2"
D = "${balancer.url}/x"
E = "${services.fixed.port}-${state_dir}"
F = "a${secret.PW}b"
G = 7
H = true
I = "${postgres.lone.replica_url}"
J = "${valkey.safe.url}"
[services.fixed]
run = "sh"
port = 4000
env = { G = "own" }
[services.infra]
run = "sh"
role = "infrastructure"
"#,
    ));
    let env = &service(&file.stack, "fixed").env;
    for (name, value) in [
        ("A", "postgresql://app:${secret.PW}@db:5432/desk"),
        ("B", "postgresql://app:${secret.PW}@r1:5433/desk"),
        ("C", "valkey://kv:6379/2"),
        ("D", "http://127.0.0.1:8081/x"),
        ("E", "4000-/state"),
        ("F", "a${secret.PW}b"),
        ("G", "own"),
        ("H", "true"),
        ("I", "postgresql://desk@lone:1/desk"),
        ("J", "valkey://:${secret.PW}@kv2:6379"),
    ] {
        assert_eq!(env[name], value, "{name}");
    }
    assert!(service(&file.stack, "infra").env.is_empty());
}

#[test]
fn development_stores_become_services() {
    let file = good(&with(
        r#"
[postgres.main]
development = true
port = 15000
replicas = 2
[valkey.main]
development = true
[balancer]
port = 8081
[services.api]
run = "sh"
route = "/"
[services.realtime]
run = "sh"
route = "/socket.io/"
"#,
    ));
    let command = |name: &str| service(&file.stack, name).program.command.join(" ");
    for (name, expected) in [
        (
            "postgres-main",
            "/opt/insightdesk dev postgres --data /state/data/postgres-main --port 15000 --database desk --user desk",
        ),
        (
            "postgres-main-replica-1",
            "/opt/insightdesk dev postgres-replica --data /state/data/postgres-main-replica-1 --port 15002 --primary-port 15000 --user desk --slot replica_1",
        ),
        ("valkey-main", "/opt/insightdesk dev valkey --data /state/data/valkey-main --port 16379"),
        (
            "balancer",
            "/opt/insightdesk dev nginx --data /state/data/nginx --port 8081 --route /=api --route /socket.io/=realtime",
        ),
    ] {
        assert_eq!(command(name), expected);
        assert_eq!(service(&file.stack, name).role, ServiceRole::Infrastructure);
    }
    assert_eq!(service(&file.stack, "postgres-main-replica-0").depends_on, ["postgres.main"]);
    assert_eq!(service(&file.stack, "postgres-main").stop.signal, "INT");
    assert_eq!(service(&file.stack, "balancer").stop.signal, "QUIT");
    assert_eq!(service(&file.stack, "balancer").health.as_ref().unwrap().path, "/balancer-health");
    assert_eq!(file.stack.postgres["main"].replicas, ["127.0.0.1:15001", "127.0.0.1:15002"]);
    assert_eq!(service(&file.stack, "api").role, ServiceRole::Frontend);
}

#[test]
fn each_fault_names_its_line_its_key_and_its_cure() {
    let run = "[services.a]\nrun = \"sh\"\n";
    check("colour = \"red\"\n", 3, "stack.colour", "unknown key");
    check(&format!("{run}helth = 1\n"), 5, "services.a.helth", "did you mean health?");
    check(&format!("{run}port = \"x\"\n"), 5, "services.a.port", "of type string");
    check(&format!("{run}port = 0\n"), 5, "services.a.port", "1 to 65535");
    check(&format!("{run}port = 99999999999999999999\n"), 5, "services.a.port", "out of range");
    check(&format!("{run}port = 7700\n"), 5, "services.a.port", "the control plane");
    check(&format!("{run}port = 80\nreplicas = 2\n"), 5, "services.a.port", "cannot share one port");
    check(&format!("{run}replicas = {{ min = 3, max = 2 }}\n"), 5, "services.a.replicas.min", "min is 3");
    check(&format!("{run}replicas = 0\n"), 5, "services.a.replicas", "1 to 200");
    check(&format!("{run}health = {{ interval = \"soon\" }}\n"), 5, "services.a.health.interval", "\"soon\"");
    check(&format!("{run}health = {{ interval = 5 }}\n"), 5, "services.a.health.interval", "\"500ms\"");
    check(&format!("{run}health = \"up\"\n"), 5, "services.a.health", "begin with /");
    check(&format!("{run}health = true\n"), 5, "services.a.health", "of type boolean");
    check(&format!("{run}depends_on = [\"b\"]\n"), 5, "services.a.depends_on", "not in this file");
    check(&format!("{run}depends_on = [\"a\"]\n"), 5, "services.a.depends_on", "a → a");
    check(&format!("{run}secrets = [\"X\"]\n"), 5, "services.a.secrets", "there is no secret \"X\"");
    check(&format!("{run}env = {{ K = \"${{secret.X}}\" }}\n"), 5, "services.a.env.K", "no secret");
    check(
        &format!("{run}env = {{ K = \"${{postgres.main.url}}\" }}\n"),
        5,
        "services.a.env.K",
        "[postgres.main]",
    );
    check(&format!("{run}env = {{ K = \"${{what.ever}}\" }}\n"), 5, "services.a.env.K", "known: ");
    check(&format!("{run}env = {{ K = \"${{state_dir\" }}\n"), 5, "services.a.env.K", "not closed");
    check(&format!("{run}env = {{ PORT = 1 }}\n"), 5, "services.a.env.PORT", "handed");
    check(&format!("{run}env = {{ \"A B\" = 1 }}\n"), 5, "services.a.env.\"A B\"", "cannot name a variable");
    check(&format!("{run}route = \"/\"\n"), 5, "services.a.route", "[balancer]");
    let scaled = format!("{run}replicas = {{ min = 1, max = 3 }}\n");
    check(&format!("{scaled}scale = {{}}\n"), 6, "services.a.scale", "nothing to follow");
    check(&format!("{run}scale = {{ cpu = 0.7 }}\n"), 5, "services.a.scale", "always 1 replicas");
    check(&format!("{scaled}scale = {{ cpu = 7000 }}\n"), 6, "services.a.scale.cpu", "share of a core");
    check(&format!("{scaled}scale = {{ connections = -1 }}\n"), 6, "services.a.scale.connections", "count");
    check(&format!("{scaled}scale = {{ queues = [\"q\"] }}\n"), 6, "services.a.scale.queues", "no Valkey");
    check(
        &format!("{scaled}scale = {{ cpu = 0.7, target_wait = \"0s\" }}\n"),
        6,
        "services.a.scale.target_wait",
        "not a duration",
    );
    check(
        &format!("{scaled}scale = {{ cpu = 0.7, concurrency = {{ x = 1 }} }}\n"),
        6,
        "services.a.scale.concurrency.x",
        "not among",
    );
    check(
        "[valkey.main]\naddress = \"a:1\"\nqueues = { prefix = \"b*\" }\n",
        5,
        "valkey.main.queues.prefix",
        "key prefix",
    );
    check(&format!("{run}restart = {{ window = \"2s\" }}\n"), 5, "services.a.restart.window", "never fit");
    check(&format!("{run}stop = {{ signal = \"KILL\" }}\n"), 5, "services.a.stop.signal", "TERM, INT, QUIT");
    check("[services.a]\n", 3, "services.a.run", "run is missing");
    check("[services.a]\nrun = \"\"\n", 4, "services.a.run", "run is empty");
    check("[services.a]\nrun = []\n", 4, "services.a.run", "run is empty");
    check("[services.a]\nrun = \"a | b\"\n", 4, "services.a.run", "no shell runs it");
    check("[services.a]\nrun = \"no-such-program-here\"\n", 4, "services.a.run", "not in PATH");
    check("[services.a]\nrun = [\"etc/none\"]\n", 4, "services.a.run", "does not exist");
    check("[services.a]\nrun = \"./etc\"\n", 4, "services.a.run", "is a folder");
    check("[services.a]\nrun = \"./etc/passwd\"\n", 4, "services.a.run", "not executable");
    check(&format!("{run}directory = \"no/where\"\n"), 5, "services.a.directory", "not a folder");
    check("[services.Api]\nrun = \"sh\"\n", 3, "services.Api", "cannot be a name");
    check("[storage]\n", 3, "storage", "not supported yet");
    check("[serviecs.a]\n", 3, "serviecs", "did you mean services?");
    check("environment = \"prodution\"\n", 3, "stack.environment", "did you mean production?");
    check("[server]\nlisten = \"localhost\"\n", 4, "server.listen", "address to listen on");
    check("[server]\ngrpc = \"localhost\"\n", 4, "server.grpc", "address to listen on");
    check("[server]\ngrpc = true\n", 4, "server.grpc", "of type boolean");
    check("[server]\ngrpc = \"127.0.0.1:7700\"\n", 4, "server.grpc", "also that of the control plane");
    check("[server]\nexternal_url = \"ops\"\n", 4, "server.external_url", "URL");
    check("[postgres.main]\n", 3, "postgres.main.primary", "primary is missing");
    check("[postgres.main]\nprimary = \"db\"\n", 4, "postgres.main.primary", "host:port");
    check("[valkey.main]\naddress = \"a:b:c@d\"\n", 4, "valkey.main.address", "host:port");
    check("[secrets.A]\n", 3, "secrets.A.from", "from is missing");
    check("[secrets.A]\nfrom = \"safe\"\n", 4, "secrets.A.from", "env, generated");
    check("[secrets.A]\nfrom = \"env\"\npath = \"a\"\n", 5, "secrets.A.path", "means nothing for this store");
    check("[secrets.A]\nfrom = \"vault\"\npath = \"a\"\n", 3, "secrets.A", "no vault is known");
    check(
        "[secrets.A]\nfrom = \"env\"\nrotation = \"jwt\"\n",
        3,
        "secrets.A.previous",
        "previous is missing",
    );
    check("[secrets.A]\nfrom = \"env\"\nmax_age = \"soon\"\n", 5, "secrets.A.max_age", "\"soon\"");
    check("[audit]\nseal_every = \"2h\"\n", 4, "audit.seal_every", "too long");
    check("[audit.anchors.a]\n", 3, "audit.anchors.a.file", "is missing");
    check("[audit.sources.a]\n", 3, "audit.sources.a.http_token_secret", "is missing");
    check("[audit.sources.A]\nfile = \"a\"\n", 3, "audit.sources.A", "cannot name a device");
    check(
        "[audit.sources.a]\nhttp_token_secret = \"A\"\n",
        4,
        "audit.sources.a.http_token_secret",
        "there is no secret",
    );
    check(
        "[secret_stores.vault]\naddress = \"http://a\"\ntoken_file = \"t\"\n[secrets.A]\nfrom = \"vault\"\npath = \"a\"\n\
         [audit.sources.a]\nhttp_token_secret = \"A\"\n",
        10,
        "audit.sources.a.http_token_secret",
        "while other stores are away",
    );
    check("[audit.findings]\noff = [\"R12\"]\n", 4, "audit.findings.off", "no rule");
    check("[audit.findings]\nhours = [\"19:00\", \"07:00\"]\n", 4, "audit.findings.hours", "no hours");
    let networks = "[audit.findings]\nservice_networks = [\"10.0.0.0/33\"]\n";
    check(networks, 4, "audit.findings.service_networks", "no network");
    let trap = "[secrets.TRAP]\nfrom = \"env\"\ncanary = true\n[valkey.main]\naddress = \"h:6379\"\npassword_secret = \"TRAP\"\n";
    let found = report("stack", &faults(&with(trap)));
    assert!(found.contains("is a canary"), "{found}");
    check(
        "environment = \"staging\"\n[secrets.A]\nfrom = \"generated\"\n",
        5,
        "secrets.A.from",
        "development and test only",
    );
    check(
        "environment = \"production\"\n[valkey.main]\ndevelopment = true\n",
        5,
        "valkey.main.development",
        "development and test only",
    );
    check(
        "[valkey.main]\ndevelopment = true\n[services.valkey-main]\nrun = \"sh\"\n",
        5,
        "services.valkey-main",
        "development store",
    );
    check(
        "[postgres.main]\ndevelopment = true\nreplicas = 1\nport = 5000\n[balancer]\nport = 5001\n",
        8,
        "balancer.port",
        "postgres.main.replica-0",
    );
}

#[test]
fn all_faults_are_reported_together_in_the_order_of_the_file() {
    let faults = faults(&with(
        r#"colour = "red"
[services.a]
run = "/does/not/exist"
depends_on = ["b"]
port = 4001
health = { interval = "soon" }
[services.b]
run = "sh"
depends_on = ["c"]
port = 4001
secrets = ["NOBODY"]
[services.c]
run = "sh"
depends_on = ["a"]
"#,
    ));
    let lines: Vec<usize> = faults.iter().map(|it| it.line).collect();
    assert_eq!(lines, [3, 5, 6, 8, 12, 13], "{}", report("stack", &faults));
    let text = report("insightdesk.toml", &faults);
    for word in ["insightdesk.toml:3:1: stack.colour", "a → b → c → a", "services.a", "fix: ", "6 faults in"]
    {
        assert!(text.contains(word), "{word:?} is not in:\n{text}");
    }
}

#[test]
fn columns_count_characters() {
    let faults = faults("[stack]\nname = \"desk\" # é\n[env]\nÄ = { é = 1 }\n");
    assert!(!faults.is_empty());
    let faults = parse("[stack]\nname = \"desk\"\n[env]\n\"é\" = 1\n", &context()).unwrap_err();
    assert_eq!((faults[0].line, faults[0].column), (4, 7));
}

#[test]
fn rubbish_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("insightdesk.toml");
    let deep = format!("a = {}", "[".repeat(100_000));
    let long = vec![b'#'; (1 << 20) + 1];
    for (bytes, word) in [
        (&b"[stack\nname"[..], "not TOML"),
        (b"[stack]\nname = \"a\"\nname = \"b\"\n", "not TOML"),
        (b"[stack]\nname = \"\xff\xfe\"", "not UTF-8"),
        (b"", "stack is missing"),
        (b"stack = 5", "of type integer"),
        (b"stack = [1]\nservices = 3\npostgres = \"x\"", "of type"),
        (deep.as_bytes(), "not TOML"),
        (&long, "longer than 1 MiB"),
        (b"\x00\x01\x02", "not TOML"),
    ] {
        fs::write(&path, bytes).unwrap();
        let faults = load(&path, &context()).unwrap_err();
        let text = report("stack", &faults);
        assert!(text.contains(word), "{word:?} is not in:\n{text}");
    }
    let missing = load(&folder.path().join("none"), &context()).unwrap_err();
    assert!(missing[0].problem.contains("cannot be read"));
    assert!(load(folder.path(), &context()).is_err());
}

#[test]
fn a_report_stays_on_its_lines_whatever_was_written() {
    let faults = faults(&with("\"a\\nb\\u001b[31m\" = 1\n[services.\"x\\u202e\"]\nrun = \"sh\"\n"));
    let text = report("stack", &faults);
    assert_eq!(text.lines().count(), faults.len() * 2 + 1, "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text:?}");
}

#[test]
fn a_password_in_the_wrong_place_is_not_repeated() {
    let text = with(
        "[server]\ndatabase = \"mysql://u:hunter2@h/d\"\n[postgres.main]\nprimary = \"u:hunter2@h\"\n\
         [env]\nA = \"${hunter2\"\n",
    );
    let found = faults(&text);
    assert_eq!(found.len(), 3);
    assert!(!report("stack", &found).contains("hunter2"), "{}", report("stack", &found));
}

#[test]
fn a_long_chain_of_services_is_checked_quickly() {
    let mut text = with("");
    for index in 0..3000 {
        text += &format!("[services.s{index}]\nrun = \"sh\"\ndepends_on = [\"s{}\"]\n", (index + 1) % 3000);
    }
    let faults = faults(&text);
    assert_eq!(faults.len(), 1, "one cycle, told once");
}

#[test]
fn a_fingerprint_tells_stacks_apart() {
    let text = with("[services.a]\nrun = \"sh\"\n");
    let stack = good(&text).stack;
    assert_eq!(stack_hash(&stack), stack_hash(&good(&format!("# a comment\n{text}")).stack));
    assert_ne!(stack_hash(&stack), stack_hash(&good(&format!("{text}replicas = 2\n")).stack));
    assert_eq!(stack_hash(&stack).len(), 16);
}

#[test]
fn the_stack_of_this_repository_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join(".insightdesk/bin");
    fs::create_dir_all(&bin).unwrap();
    for name in ["api", "realtime", "worker"] {
        let program = bin.join(format!("insightdesk-{name}"));
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let context = Context { base_dir: folder.path().to_owned(), ..context() };
    let file = load(&repository().join("insightdesk.toml"), &context)
        .unwrap_or_else(|faults| panic!("{}", report("insightdesk.toml", &faults)));
    assert_eq!(file.stack.services.len(), 7);
    let api = service(&file.stack, "api");
    assert_eq!(api.replicas, ReplicaBounds { min: 2, max: 4 });
    assert_eq!(api.env["VALKEY_QUEUE_URL"], "valkey://127.0.0.1:16379/1");
    assert_eq!(api.env["DATABASE_REPLICA_URL"], "postgresql://insightdesk@127.0.0.1:15433/insightdesk");
}

#[test]
fn the_reference_describes_every_key() {
    let page = fs::read_to_string(repository().join("docs/stack-file.md")).unwrap();
    for (section, keys) in KEYS {
        let heading = format!("`[{section}]`\n");
        let part = match *section {
            "" => page.as_str(),
            _ => page.split_once(&heading).unwrap_or_else(|| panic!("no heading {heading}")).1,
        };
        let part = if section.is_empty() {
            part
        } else {
            part.split("\n## ").next().unwrap().split("\n### ").next().unwrap()
        };
        for key in *keys {
            let words = if section.is_empty() {
                [format!("`[{key}]`"), format!("`[{key}.NAME]`")]
            } else {
                [format!("\n| `{key}` |"), String::from("\0")]
            };
            assert!(
                words.iter().any(|word| part.contains(word.as_str())),
                "{section}.{key} is not described"
            );
        }
    }
    for (_, keys) in LATER {
        for key in *keys {
            assert!(page.contains(key), "{key}");
        }
    }
}
