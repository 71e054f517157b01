//! What Prometheus' clients ask and get.

use ops_contract::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Server, token};

const API: &str = "/prometheus/api/v1";

async fn ask(server: &Server, path: &str) -> (u16, Value) {
    let answer = server.ask(Role::Viewer, Method::GET, &format!("{API}{path}")).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn expressions_are_answered_in_prometheus_form() {
    let (server, _folder) = Server::fresh().await;
    let (status, it) = ask(&server, "/query?query=1%2B1&time=1.5").await;
    assert_eq!(status, 200);
    assert_eq!(it, json!({"status": "success", "data": {"resultType": "scalar", "result": [1.5, "2"]}}));
    let (_, it) = ask(&server, "/query?query=vector(1e-7)&time=2015-07-01T20:10:30.781Z&stats=all").await;
    assert_eq!(it["data"]["result"], json!([{"metric": {}, "value": [1_435_781_430.781, "1e-07"]}]));
    assert!(it["data"]["stats"]["timings"]["evalTotalTime"].is_number());
    let (_, it) = ask(&server, "/query_range?query=time()&start=0&end=2&step=1s").await;
    assert_eq!(
        it["data"],
        json!({"resultType": "matrix", "result": [{"metric": {}, "values": [[0, "0"], [1, "1"], [2, "2"]]}]})
    );
    let form = [("query", "\"text\""), ("time", "7")];
    let answer = server.ask(Role::Viewer, Method::POST, &format!("{API}/query")).form(&form);
    let it: Value = answer.send().await.unwrap().json().await.unwrap();
    assert_eq!(it["data"], json!({"resultType": "string", "result": [7, "text"]}));
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_answered_is_told_in_prometheus_form() {
    let (server, _folder) = Server::fresh().await;
    let bad = [
        "/query",
        "/query?query=sum(",
        "/query?query=1&time=yesterday",
        "/query?query=1&timeout=x",
        "/query?query=1&limit=-1",
        "/query?query=1&lookback_delta=0",
        "/query_range?query=1&start=0&end=1",
        "/query_range?query=1&start=2&end=1&step=1",
        "/query_range?query=1&start=0&end=1&step=0",
        "/query_range?query=1&start=0&end=11001&step=1",
        "/query_range?query=up[5m]&start=0&end=1&step=1",
        "/query_range?query=1&start=NaN&end=1&step=1",
        "/series",
        "/series?match[]=sum(up)",
        "/labels?start=2&end=1",
        "/format_query?query=(",
        "/rules?type=odd",
        "/rules?exclude_alerts=maybe",
    ];
    for path in bad {
        let (status, it) = ask(&server, path).await;
        assert_eq!(
            (status, &it["status"], &it["errorType"]),
            (400, &json!("error"), &json!("bad_data")),
            "{path}"
        );
        assert!(it["error"].as_str().is_some_and(|it| !it.is_empty()), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_other_addresses_answer_as_grafana_expects() {
    let (server, _folder) = Server::fresh().await;
    for (path, data) in [
        ("/series?match[]=nothing", json!([])),
        ("/query_exemplars?query=up&start=0&end=1", json!([])),
        ("/label/nothing/values", json!([])),
        ("/label/U__a_2e_b/values", json!([])),
        ("/metadata?metric=nothing", json!({})),
        ("/status/flags", json!({})),
        ("/format_query?query=up", json!("up")),
    ] {
        let (status, it) = ask(&server, path).await;
        assert_eq!((status, &it["status"], &it["data"]), (200, &json!("success"), &data), "{path}");
    }
    for path in [
        "/labels",
        "/rules",
        "/alerts",
        "/targets",
        "/status/buildinfo",
        "/status/runtimeinfo",
        "/status/tsdb",
    ] {
        assert_eq!(ask(&server, path).await.0, 200, "{path}");
    }
    assert_eq!(ask(&server, "/status/buildinfo").await.1["data"]["version"], "3.5.0");
    for path in ["/prometheus/-/healthy", "/prometheus/-/ready"] {
        assert_eq!(server.client.get(server.at(path)).send().await.unwrap().status(), 200);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_token_opens_it_as_password_too_and_a_wrong_one_does_not() {
    let (server, _folder) = Server::fresh().await;
    let path = server.at(&format!("{API}/query?query=1"));
    let with = |password: &str| server.client.get(&path).basic_auth("grafana", Some(password));
    assert_eq!(with(&token(Role::Viewer)).send().await.unwrap().status(), 200);
    assert_eq!(with("wrong").send().await.unwrap().status(), 401);
    assert_eq!(server.client.get(&path).send().await.unwrap().status(), 401);
    for odd in ["Basic", "Basic ", "Basic !!!", "Basic Og==", "Basic /w==", "Digest x"] {
        let answer = server.client.get(&path).header("authorization", odd).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{odd}");
    }
    // Elsewhere only bearer tokens are taken.
    let elsewhere = server.client.get(server.at("/api/now")).basic_auth("a", Some(token(Role::Viewer)));
    assert_eq!(elsewhere.send().await.unwrap().status(), 401);
    server.stop().await;
}
