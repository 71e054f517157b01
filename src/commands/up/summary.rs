//! What `up` says in the end: what runs where and how to get in, or why not all is ready.

use ops_contract::{LogChunk, NowView, ReplicaPhase, ServiceView};
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::commands::services;
use crate::control::Ready;
use crate::failure::Result;
use crate::output;

/// A table and a link, or JSON.
pub(super) async fn say(client: &Client, now: &NowView, as_json: bool) -> Result {
    if as_json {
        return say_json(client, now, Some(std::process::id())).await;
    }
    output::say("");
    output::say_table(&services::table(&now.services));
    output::say("");
    let addresses = addresses(client, now);
    for (name, what) in [("dashboard", "control plane"), ("api", "API"), ("realtime", "WebSocket")] {
        if let Some(url) = addresses[name].as_str() {
            output::say(&format!("{what:<14} {url}"));
        }
    }
    output::say(&format!("{:<14} {}", "sign in (once)", link(client).await?));
    output::say("\nCtrl-C stops everything in order.");
    Ok(())
}

/// The shape that scripts rely on.
pub(super) async fn say_json(client: &Client, now: &NowView, pid: Option<u32>) -> Result {
    let mut answer = addresses(client, now);
    let services: Map<String, Value> =
        now.services.iter().map(|it| (it.name.to_string(), services::to_json(it))).collect();
    answer["login_url"] = json!(link(client).await?);
    answer["services"] = Value::Object(services);
    answer["pid"] = json!(pid);
    output::json(&answer)
}

/// The verdict, and the last words of the replica to look at first.
pub(super) async fn why_not(client: &Client, now: Option<&NowView>) -> String {
    let Some(now) = now else {
        return format!(
            "the control plane at {} did not answer; see .insightdesk/logs/control/",
            client.url()
        );
    };
    let mut words = format!("not all is ready: {}", now.verdict.sentence);
    let Some((service, slot)) = Ready::culprit(now) else { return words };
    words.push_str(&format!("\nthe last lines of {}/{slot}:\n", service.name));
    let path = format!("/api/services/{}/replicas/{slot}/logs?lines=20", service.name);
    match client.get::<LogChunk>(&path).await {
        Ok(chunk) => {
            for line in chunk.lines {
                words.push_str(&format!("  {}\n", line.text));
            }
            words.push_str(&chunk.error.unwrap_or_default());
        }
        Err(failure) => words.push_str(&format!("  (could not be read: {})", failure.message)),
    }
    words.trim_end().to_owned()
}

/// Where to go: the balancer where there is one, else the first ready replica.
fn addresses(client: &Client, now: &NowView) -> Value {
    let find = |name: &str| now.services.iter().find(|it| it.name.as_str() == name);
    let balancer = find("balancer").and_then(ready_port);
    let url = |name: &str| {
        let service = find(name)?;
        Some(format!("http://127.0.0.1:{}", balancer.or_else(|| ready_port(service))?))
    };
    json!({"url": client.url(), "dashboard": client.url(), "api": url("api"), "realtime": url("realtime")})
}

fn ready_port(service: &ServiceView) -> Option<u16> {
    service.replicas.iter().find(|it| it.state.phase == ReplicaPhase::Ready)?.state.port
}

async fn link(client: &Client) -> Result<String> {
    let link = client.post("/api/links", &json!({})).await?;
    Ok(link["url"].as_str().unwrap_or_default().to_owned())
}
