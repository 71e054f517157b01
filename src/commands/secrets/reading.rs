use std::time::Duration;

use comfy_table::Cell;
use ops_contract::{SecretReadWaits, SecretRequest, SecretValues, SecretsView};
use serde_json::{Value, json};

use super::{ReadArguments, path};
use crate::cli::Globals;
use crate::client::Client;
use crate::commands::words;
use crate::failure::{Failure, Kind, Result};
use crate::output;

/// Pause between two looks whether somebody has approved.
const PAUSE: Duration = Duration::from_secs(2);

pub(super) async fn read(globals: &Globals, arguments: &ReadArguments) -> Result {
    let client = Client::find(globals)?;
    let address = path(&arguments.name, "/read");
    let mut request = arguments.request.clone();
    let mut told = false;
    loop {
        let body = json!({ "reason": arguments.reason, "request": request });
        let answer = client.post(&address, &body).await?;
        let waits = match serde_json::from_value::<SecretReadWaits>(answer.clone()) {
            Ok(waits) => waits,
            Err(_) => return show(&arguments.name, answer),
        };
        if arguments.no_wait {
            if globals.json {
                output::json(&waits)?;
            } else {
                say(&waits);
            }
            return Err(Failure::new(Kind::Problems, ""));
        }
        if !told {
            say(&waits);
            output::note("waiting; Ctrl-C ends the wait and not the request");
            told = true;
        }
        request = Some(waits.request.id);
        tokio::time::sleep(PAUSE).await;
    }
}

fn show(name: &str, answer: Value) -> Result {
    let values: SecretValues = serde_json::from_value(answer)
        .map_err(|_| Failure::problems("the control plane answered something else than a value"))?;
    match values.values.get(name) {
        Some(value) => output::say(&value.0),
        None => return Err(Failure::problems("the control plane answered without the value")),
    }
    Ok(())
}

fn say(waits: &SecretReadWaits) {
    let SecretRequest { id, secret, until, .. } = &waits.request;
    let who = match waits.approvers.as_slice() {
        [] => "there is no other admin who could: add one with `insightdesk operators add`".to_owned(),
        some => format!("{} can", some.join(", ")),
    };
    output::note(&format!(
        "a read of {secret} takes the word of a second admin until {}; {who}:\n  insightdesk secrets approve {id}\n\
         then, if nobody waits here: insightdesk secrets read {secret} --request {id} --reason …",
        words::moment(*until)
    ));
}

pub(super) async fn approve(globals: &Globals, id: &str) -> Result {
    let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    let answer =
        Client::find(globals)?.post(&format!("/api/secrets/requests/{id}/approve"), &json!({})).await?;
    if globals.json {
        return output::json(&answer);
    }
    let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    output::say(&format!("{} may read {} once", text("by"), text("secret")));
    Ok(())
}

pub(super) async fn requests(globals: &Globals) -> Result {
    let view: SecretsView = Client::find(globals)?.get("/api/secrets").await?;
    if globals.json {
        return output::json(&view.requests);
    }
    if view.requests.is_empty() {
        output::say("no read waits for a second admin");
        return Ok(());
    }
    let mut table = output::table(&["id", "secret", "who", "why", "until", "approved by"]);
    for it in &view.requests {
        table.add_row(vec![
            Cell::new(&it.id),
            Cell::new(&it.secret),
            Cell::new(&it.by),
            Cell::new(&it.reason),
            Cell::new(words::moment(it.until)),
            Cell::new(it.approved_by.as_deref().unwrap_or("nobody yet")),
        ]);
    }
    output::say_table(&table);
    Ok(())
}
