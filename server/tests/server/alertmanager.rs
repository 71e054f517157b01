//! What Alertmanager's clients send and ask.

use ops_contract::Role;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::harness::{Server, token};

const API: &str = "/alertmanager/api/v2";

async fn post(server: &Server, path: &str, body: &Value) -> (u16, Value) {
    let answer = server.ask(Role::Operator, Method::POST, path).json(body).send().await.unwrap();
    told(answer).await
}

async fn told(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

fn silence(name: &str) -> Value {
    json!({
        "matchers": [{"name": "alertname", "value": name, "isRegex": false}], "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "2099-01-01T00:00:00.000Z", "createdBy": "", "comment": "planned",
    })
}

/// Ends in an hour, by the clock of this machine.
fn soon() -> jiff::Timestamp {
    jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)
}

fn short(name: &str) -> Value {
    let mut it = silence(name);
    it["endsAt"] = json!(soon().to_string());
    it
}

#[tokio::test]
async fn silences_are_made_changed_and_ended() {
    let (server, _folder) = Server::fresh().await;
    let (status, made) = post(&server, &format!("{API}/silences"), &short("A")).await;
    assert_eq!(status, 200, "{made}");
    let id = made["silenceID"].as_str().unwrap().to_owned();
    let known = server.get(&format!("{API}/silence/{id}")).await;
    assert_eq!(known["status"]["state"], "active");
    assert_eq!(known["createdBy"], "operator", "nobody was named: it is whose token it is");
    assert_eq!(
        known["matchers"][0],
        json!({"name": "alertname", "value": "A", "isRegex": false, "isEqual": true})
    );
    // Another comment: it stays the same one.
    let mut changed = known.clone();
    changed["comment"] = json!("longer");
    assert_eq!(post(&server, &format!("{API}/silences"), &changed).await.1["silenceID"], id);
    // Other alerts: another one, and the old one is over.
    changed["matchers"][0]["value"] = json!("B");
    let other = post(&server, &format!("{API}/silences"), &changed).await.1["silenceID"].clone();
    assert_ne!(other, id);
    assert_eq!(server.get(&format!("{API}/silence/{id}")).await["status"]["state"], "expired");
    let active = server.get(&format!("{API}/silences?expired=false")).await;
    assert_eq!(active.as_array().unwrap().len(), 1);
    let filtered = server.get(&format!("{API}/silences?filter=alertname%3DA")).await;
    assert_eq!(filtered.as_array().unwrap().iter().map(|it| &it["id"]).collect::<Vec<_>>(), [&json!(id)]);
    let other = other.as_str().unwrap();
    for status in [200, 200] {
        let path = format!("{API}/silence/{other}");
        let answer = server.ask(Role::Operator, Method::DELETE, &path).send().await.unwrap();
        assert_eq!(answer.status(), status, "to end one twice is no fault");
    }
    assert_eq!(server.get(&format!("{API}/silences?expired=false")).await, json!([]));
    server.stop().await;
}

#[tokio::test]
async fn what_no_silence_should_be_is_refused_in_alertmanagers_form() {
    let (server, _folder) = Server::fresh().await;
    let with = |name: &str, value: Value| {
        let mut it = short("A");
        it[name] = value;
        it
    };
    let all = json!([{"name": "alertname", "value": ".*", "isRegex": true}]);
    for (body, status, words) in [
        (with("matchers", json!([])), 400, "no matchers"),
        (with("matchers", all), 400, "match alerts that have none"),
        (with("matchers", json!([{"name": "a", "value": "(", "isRegex": true}])), 400, "cannot be read"),
        (with("endsAt", json!("2026-01-02T00:00:00Z")), 400, "past"),
        (silence("A"), 400, "366"),
        (with("endsAt", json!("tomorrow")), 400, "is not a time"),
        (with("id", json!("7b0b2f0e-0000-4000-8000-000000000000")), 404, "there is no silence"),
        (json!([]), 400, "does not fit"),
    ] {
        let (told, said) = post(&server, &format!("{API}/silences"), &body).await;
        assert_eq!(told, status, "{body}");
        assert!(said.as_str().is_some_and(|it| it.contains(words)), "{said}");
    }
    for method in [Method::GET, Method::DELETE] {
        let answer = server.ask(Role::Operator, method, &format!("{API}/silence/none")).send().await.unwrap();
        assert_eq!(answer.status(), 404);
    }
    server.stop().await;
}

#[tokio::test]
async fn alerts_are_taken_shown_and_silenced() {
    let (server, _folder) = Server::fresh().await;
    let good = json!({"labels": {"alertname": "Disk", "host": "a", "empty": ""}, "annotations": {"summary": "s"},
        "generatorURL": "http://prometheus/graph", "startsAt": "2026-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z"});
    let bad = [
        json!({"labels": {"empty": ""}}),
        json!({"labels": {"a": "b"}, "startsAt": "2026-01-02T00:00:00Z", "endsAt": "2026-01-01T00:00:00Z"}),
        json!({"labels": {"a": "b".repeat(9_000)}}),
        json!({"labels": {"a": "b"}, "annotations": (0..9).map(|it| (format!("a{it}"), json!("v".repeat(8_000)))).collect::<serde_json::Map<_, _>>()}),
        json!({"labels": (0..101).map(|it| (format!("l{it}"), json!("v"))).collect::<serde_json::Map<_, _>>()}),
    ];
    let batch: Vec<Value> = bad.into_iter().chain([good]).collect();
    let (status, said) = post(&server, &format!("{API}/alerts"), &json!(batch)).await;
    assert_eq!(status, 400);
    let said = said.as_str().unwrap();
    for words in [
        "alert 0: it has no label",
        "alert 1: it ends",
        "alert 2",
        "alert 3: it has 72020 bytes",
        "alert 4",
        "1 others were taken",
    ] {
        assert!(said.contains(words), "{said}");
    }
    let shown = server
        .eventually("the alert fires", async |it| {
            let alerts = it.get(&format!("{API}/alerts?filter=alertname%3DDisk")).await;
            alerts.as_array().unwrap().first().cloned()
        })
        .await;
    assert_eq!(shown["labels"], json!({"alertname": "Disk", "host": "a"}));
    assert_eq!(shown["generatorURL"], "http://prometheus/graph");
    assert_eq!(shown["startsAt"], "2026-01-01T00:00:00.000Z");
    assert_eq!(
        shown["status"],
        json!({"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []})
    );
    let receivers = server.get(&format!("{API}/receivers")).await;
    assert_eq!(shown["receivers"][0]["name"], receivers[0]["name"]);
    let id = post(&server, &format!("{API}/silences"), &short("Disk")).await.1["silenceID"].clone();
    let silenced = server.get(&format!("{API}/alerts?filter=alertname%3DDisk&active=false")).await;
    assert_eq!(silenced[0]["status"]["silencedBy"], json!([id]), "at once");
    assert_eq!(silenced[0]["status"]["state"], "suppressed");
    let spoken = server.get(&format!("{API}/alerts?filter=alertname%3DDisk&silenced=false")).await;
    assert_eq!(spoken, json!([]));
    let groups = server.get(&format!("{API}/alerts/groups?filter=alertname%3DDisk")).await;
    assert_eq!(groups[0]["alerts"][0]["fingerprint"], shown["fingerprint"]);
    let own = server.get("/api/silences").await;
    assert_eq!((&own["items"][0]["silence"]["id"], &own["items"][0]["mutes_now"]), (&id, &json!(1)));
    server.stop().await;
}

#[tokio::test]
async fn a_silence_that_mutes_all_that_fires_must_be_confirmed() {
    let (server, _folder) = Server::fresh().await;
    let alerts: Vec<Value> =
        (0..6).map(|it| json!({"labels": {"alertname": "Many", "team": "a", "n": it.to_string()}})).collect();
    assert_eq!(post(&server, &format!("{API}/alerts"), &json!(alerts)).await.0, 200);
    server
        .eventually("six fire", async |it| {
            let alerts = it.get(&format!("{API}/alerts?filter=alertname%3DMany")).await;
            (alerts.as_array().unwrap().len() == 6).then_some(())
        })
        .await;
    let make = |matcher: &str, confirm: bool| json!({"matchers": [matcher], "ends_at": soon().as_microsecond(), "comment": "move", "confirm": confirm});
    // Whatever else may fire in a stack without agents is muted too.
    let (status, said) = post(&server, "/api/silences", &make("alertname=~.+", false)).await;
    assert_eq!(status, 409, "{said}");
    assert!(said["detail"].as_str().unwrap().contains("would mute all"), "{said}");
    let (status, made) = post(&server, "/api/silences", &make("alertname=~.+", true)).await;
    assert_eq!((status, &made["state"]), (201, &json!("active")));
    assert!(made["mutes_now"].as_u64().unwrap() >= 6);
    let (status, made) = post(&server, "/api/silences", &make("n=1", false)).await;
    assert_eq!((status, &made["mutes_now"]), (201, &json!(1)));
    let path = format!("/api/silences/{}", made["silence"]["id"].as_str().unwrap());
    let answer = server.ask(Role::Operator, Method::DELETE, &path).send().await.unwrap();
    assert_eq!(told(answer).await.1["state"], "expired");
    assert_eq!(server.get("/api/silences").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/api/silences?expired=true").await["items"].as_array().unwrap().len(), 2);
    for body in [
        make("=", false),
        make("alertname=~.*", true),
        json!({"matchers": ["a=b"], "ends_at": 1, "comment": "x"}),
    ] {
        assert_eq!(post(&server, "/api/silences", &body).await.0, 422, "{body}");
    }
    server.stop().await;
}

#[tokio::test]
async fn strangers_viewers_and_floods_are_refused() {
    let (server, _folder) = Server::fresh().await;
    let path = server.at(&format!("{API}/alerts"));
    let alert = json!([{"labels": {"alertname": "A"}}]);
    let send = || server.client.post(&path).json(&alert);
    assert_eq!(send().send().await.unwrap().status(), 401);
    assert_eq!(send().basic_auth("any", Some(token(Role::Viewer))).send().await.unwrap().status(), 403);
    assert_eq!(send().basic_auth("any", Some(token(Role::Operator))).send().await.unwrap().status(), 200);
    assert_eq!(server.client.get(&path).send().await.unwrap().status(), 401);
    let many: Vec<Value> = (0..2_001).map(|it| json!({"labels": {"n": it.to_string()}})).collect();
    let (status, said) = post(&server, &format!("{API}/alerts"), &json!(many)).await;
    assert_eq!((status, said.as_str().unwrap().contains("at most 2000")), (400, true));
    let answer = server.ask(Role::Operator, Method::POST, &format!("{API}/alerts"));
    let (status, said) = told(answer.body(vec![b' '; (10 << 20) + 1]).send().await.unwrap()).await;
    assert_eq!((status, said), (413, json!("the body is longer than 10 MiB; send fewer at a time")));
    let labels: serde_json::Map<String, Value> =
        (0..10_000).map(|it| (format!("label_{it}"), json!("x"))).collect();
    let (status, said) = post(&server, &format!("{API}/alerts"), &json!([{"labels": labels}])).await;
    assert_eq!((status, said.as_str().unwrap().contains("at most 100")), (400, true), "{said}");
    for rubbish in [&b""[..], b"{", b"null", b"[1]", b"\xff\xfe", b"[{\"labels\": {\"a\": 1}}]"] {
        let answer = server.ask(Role::Operator, Method::POST, &format!("{API}/alerts")).body(rubbish);
        assert_eq!(answer.send().await.unwrap().status(), 400, "{rubbish:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_other_addresses_answer_as_amtool_expects() {
    let (server, _folder) = Server::fresh().await;
    let status = server.get(&format!("{API}/status")).await;
    assert_eq!(status["cluster"]["status"], "disabled");
    let config: Value = serde_json::from_str(status["config"]["original"].as_str().unwrap()).unwrap();
    assert!(config["route"]["receiver"].is_string());
    for path in ["/alertmanager/-/healthy", "/alertmanager/-/ready"] {
        assert_eq!(server.client.get(server.at(path)).send().await.unwrap().status(), 200, "{path}");
    }
    for path in
        ["/alerts?filter=%3D", "/alerts?receiver=(", "/silences?active=maybe", "/alerts/groups?filter=x"]
    {
        let answer = server.ask(Role::Viewer, Method::GET, &format!("{API}{path}")).send().await.unwrap();
        let (status, said) = told(answer).await;
        assert_eq!((status, said.is_string()), (400, true), "{path}");
    }
    server.stop().await;
}
