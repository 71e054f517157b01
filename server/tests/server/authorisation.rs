//! Who may use which route: every route that the router has, asked by everybody. A route that nobody has said who may use
//! fails here.

use std::collections::{BTreeMap, BTreeSet};

use ops_contract::Role;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::harness::{Server, token};

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// Everybody.
    Open,
    /// An operator with at least this role.
    Least(Role),
    /// The same; who is not signed in is shown where to.
    Page,
    /// Agents.
    Agents,
    /// Agents, and operators who may act: they bring samples.
    Writers,
    /// Whoever has the route's own proof: a signed link, the token of a heartbeat or a device, a receiver's signature.
    Proof,
}

const VIEWER: Rule = Rule::Least(Role::Viewer);
const OPERATOR: Rule = Rule::Least(Role::Operator);
const ADMIN: Rule = Rule::Least(Role::Admin);

/// `METHODS path`.
const RULES: &[(Rule, &[&str])] = &[
    (
        Rule::Open,
        &[
            "GET /healthz",
            "GET /readyz",
            "GET /login",
            "POST /login",
            "POST /logout",
            "GET /prometheus/-/healthy",
            "GET /prometheus/-/ready",
            "GET /alertmanager/-/healthy",
            "GET /alertmanager/-/ready",
        ],
    ),
    (
        Rule::Page,
        &[
            "GET /",
            "GET /alerts",
            "GET /explore",
            "GET /incidents",
            "GET /incidents/{id}",
            "GET /notifications",
            "GET /queues",
            "GET /scaling",
            "GET /secrets",
        ],
    ),
    (
        VIEWER,
        &[
            "GET /metrics",
            "GET /api/actions",
            "GET /api/alerts",
            "GET /api/alerts/history",
            "GET /api/changes",
            "GET /api/decisions",
            "GET /api/incidents",
            "GET /api/incidents/{id}",
            "GET /api/live",
            "GET /api/me",
            "GET /api/notifications",
            "GET /api/notifications/{id}",
            "GET /api/now",
            "GET /api/openapi.json",
            "GET /api/queues",
            "GET /api/queues/{store}/{queue}/commands",
            // What jobs carry is redacted, and who looked is kept.
            "GET /api/queues/{store}/{queue}/jobs",
            "GET /api/queues/{store}/{queue}/jobs/{id}",
            "GET /api/scaling",
            "GET /api/scaling/{service}",
            "GET /api/scaling/{service}/decisions",
            "GET /api/scaling/{service}/recordings",
            "GET /api/secret-rotations",
            "GET /api/secrets",
            "GET /api/services",
            "GET /api/services/{name}",
            "GET /api/services/{name}/replicas/{slot}/exits",
            "GET /api/services/{name}/replicas/{slot}/logs",
            "GET /api/silences",
            "GET /api/silences/{id}",
            "GET /api/state",
            "GET /api/tasks",
            // Policy decides for each secret, and refuses on the record.
            "POST /api/secrets/{name}/read",
            "GET /alertmanager/api/v2/alerts",
            "GET /alertmanager/api/v2/alerts/groups",
            "GET /alertmanager/api/v2/receivers",
            "GET /alertmanager/api/v2/silence/{id}",
            "GET /alertmanager/api/v2/silences",
            "GET /alertmanager/api/v2/status",
            "GET /prometheus/api/v1/alerts",
            "GET POST /prometheus/api/v1/format_query",
            "GET /prometheus/api/v1/label/{name}/values",
            "GET POST /prometheus/api/v1/labels",
            "GET /prometheus/api/v1/metadata",
            "GET POST /prometheus/api/v1/query",
            "GET POST /prometheus/api/v1/query_exemplars",
            "GET POST /prometheus/api/v1/query_range",
            "GET /prometheus/api/v1/rules",
            "GET POST /prometheus/api/v1/series",
            "GET /prometheus/api/v1/status/buildinfo",
            "GET /prometheus/api/v1/status/flags",
            "GET /prometheus/api/v1/status/runtimeinfo",
            "GET /prometheus/api/v1/status/tsdb",
            "GET /prometheus/api/v1/targets",
        ],
    ),
    (
        OPERATOR,
        &[
            "GET /audit",
            "GET /api/audit",
            "GET /api/audit/{seq}/receipt",
            "POST /api/audit/verify",
            "GET /api/audit/findings",
            "POST /api/audit/findings/close",
            "POST /api/incidents/{id}/ack",
            "POST /api/queues/{store}/{queue}/drain",
            "POST /api/queues/{store}/{queue}/pause",
            "POST /api/queues/{store}/{queue}/promote",
            "POST /api/queues/{store}/{queue}/resume",
            "POST /api/queues/{store}/{queue}/retry",
            "POST /api/receivers/{name}/test",
            "POST /api/services/{name}/restart",
            "POST /api/services/{name}/scale",
            "POST /api/silences",
            "DELETE /api/silences/{id}",
            "POST /incidents/{id}/ack",
            "POST /alertmanager/api/v2/alerts",
            "POST /alertmanager/api/v2/silences",
            "DELETE /alertmanager/api/v2/silence/{id}",
        ],
    ),
    (
        ADMIN,
        &[
            "GET /api/audit/export",
            "POST /api/audit/import",
            "POST /api/audit/rotate-key",
            "POST /api/links",
            "POST /api/secrets/departed",
            "GET POST /api/operators",
            "PUT /api/secrets/{name}",
            "POST /api/secrets/{name}/rotate",
            "POST /api/secrets/{name}/rotate/abort",
            "POST /api/secrets/{name}/rotate/end-grace",
            "POST /api/secrets/{name}/rotated",
            "POST /api/secrets/requests/{id}/approve",
            "POST /secrets/requests/{id}/approve",
            "POST /api/stack/start",
            "POST /api/stack/stop",
        ],
    ),
    (
        Rule::Agents,
        &[
            "PUT /agent/actions/{id}",
            "POST /agent/hello",
            "POST /agent/lease",
            "POST /agent/logs/{id}",
            "PUT /agent/queue-commands/{id}",
            "POST /agent/samples",
            "POST /agent/secrets",
            "POST /agent/signals",
        ],
    ),
    (Rule::Writers, &["POST /prometheus/api/v1/write", "POST /v1/metrics"]),
    (
        Rule::Proof,
        &[
            "GET POST /ack/{token}",
            "POST /api/heartbeats/{name}",
            "POST /api/receivers/{name}/events",
            "POST /audit/devices/{name}",
        ],
    ),
];

/// Method and path of every route, as the router has them.
fn routes() -> BTreeSet<(String, String)> {
    let text = ops_server::described();
    let text = text.split("fallback_router").next().unwrap();
    let (routes, paths) = text.split_once("paths: {").expect("axum tells its paths");
    let numbered = |text: &'static str| {
        text.split("RouteId(").skip(1).filter_map(|it| it.split_once(')')).collect::<Vec<_>>()
    };
    let paths: BTreeMap<&str, &str> = numbered(String::leak(paths.to_owned()))
        .into_iter()
        .filter_map(|(number, rest)| Some((number, rest.split('"').nth(1)?)))
        .collect();
    let mut all = BTreeSet::new();
    for (number, rest) in numbered(String::leak(routes.to_owned())) {
        let allowed = rest.split_once("allow_header: Bytes(b\"").expect("a route says its methods").1;
        for method in allowed.split('"').next().unwrap().split(',').filter(|it| *it != "HEAD") {
            all.insert((method.to_owned(), paths[number].to_owned()));
        }
    }
    all
}

fn rules() -> BTreeMap<(String, String), Rule> {
    let mut all = BTreeMap::new();
    for (rule, routes) in RULES {
        for route in *routes {
            let (methods, path) = route.rsplit_once(' ').unwrap();
            for method in methods.split(' ') {
                let twice = all.insert((method.to_owned(), path.to_owned()), *rule);
                assert!(twice.is_none(), "{route} stands here twice");
            }
        }
    }
    all
}

#[test]
fn every_route_has_a_rule_and_every_rule_a_route() {
    let (routes, rules) = (routes(), rules());
    assert!(routes.len() > 100, "the router is read wrongly: {routes:?}");
    let without: Vec<_> = routes.iter().filter(|it| !rules.contains_key(*it)).collect();
    assert!(without.is_empty(), "say in RULES who may use: {without:#?}");
    let gone: Vec<_> = rules.keys().filter(|it| !routes.contains(*it)).collect();
    assert!(gone.is_empty(), "there are no such routes: {gone:#?}");
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Nobody,
    Stranger,
    Agent,
    Operator(Role),
    /// An admin's browser that another site sends.
    Forged,
}

fn may(rule: Rule, who: Who, method: &Method) -> bool {
    match (rule, who) {
        (Rule::Open, _) => true,
        (Rule::Least(least), Who::Operator(role)) => role >= least,
        (Rule::Least(_) | Rule::Page, Who::Forged) => method.is_safe(),
        (Rule::Page, Who::Operator(_)) | (Rule::Agents | Rule::Writers, Who::Agent) => true,
        (Rule::Writers, Who::Operator(role)) => role >= Role::Operator,
        _ => false,
    }
}

/// Whether the answer is a refusal; being shown where to sign in is one.
fn is_refused(answer: &reqwest::Response) -> bool {
    let to_login = answer.headers().get("location").is_some_and(|it| it.as_bytes().starts_with(b"/login"));
    to_login || matches!(answer.status().as_u16(), 401 | 403 | 429)
}

async fn session(server: &Server) -> String {
    let link = server.post("/api/links", json!({})).await;
    let code = link["url"].as_str().unwrap().split_once("code=").unwrap().1.to_owned();
    let answer = server.client.post(server.at("/login")).form(&[("code", code)]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn every_route_is_open_to_whom_it_should_be_and_to_nobody_else() {
    let (server, _folder) = Server::fresh().await;
    let cookie = session(&server).await;
    let roles = [Role::Viewer, Role::Operator, Role::Admin].map(Who::Operator);
    // Who guesses comes last: it is then slowed down.
    let everybody = [Who::Nobody, Who::Forged, Who::Agent].into_iter().chain(roles).chain([Who::Stranger]);
    let mut wrong = Vec::new();
    for who in everybody {
        for ((method, route), rule) in rules() {
            let method: Method = method.parse().unwrap();
            let path = route.replace("{slot}", "0").replace("{seq}", "0");
            let path = path.split('/').map(|it| if it.starts_with('{') { "x" } else { it });
            let path = path.collect::<Vec<_>>().join("/");
            // A body that no handler takes: who may come this far is told so, and nothing happens.
            let asked = server.client.request(method.clone(), server.at(&path)).body("rubbish");
            let asked = asked.header("content-type", "application/json");
            let asked = match who {
                Who::Nobody => asked,
                Who::Stranger => asked.bearer_auth("nobody-knows-this-one"),
                Who::Agent => asked.bearer_auth("agent-token"),
                Who::Operator(role) => asked.bearer_auth(token(role)),
                Who::Forged => asked.header("cookie", &cookie).header("origin", "https://evil.example"),
            };
            let answer = asked.send().await.unwrap();
            let status = answer.status();
            assert!(
                !status.is_server_error() || status == 501 || status == 503,
                "{method} {route} {who:?}: {status}"
            );
            let right = match rule {
                Rule::Proof => status.is_client_error(),
                Rule::Open => {
                    !matches!(status.as_u16(), 401 | 403) || (route == "/logout" && who == Who::Forged)
                }
                _ => is_refused(&answer) != may(rule, who, &method),
            };
            if !right {
                wrong.push(format!("{method} {route}, {rule:?}: {who:?} got {status}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    server.stop().await;
}
