//! Adds to a figure of the day, once for each job.

use ops_program::jobs::Fact;
use serde_json::{Value, json};

use crate::app::App;
use crate::store;

pub(crate) async fn run(app: &App, job: &str, fact: Fact) -> anyhow::Result<Value> {
    let counted = store::count(&app.database, job, fact.organisation_id, &fact.name).await?;
    Ok(json!({ "counted": counted }))
}
