//! An address that is posted to. What it keeps, it must be asked for by whoever verifies.

use ops_audit::anchor::Anchor;
use ops_audit::checkpoint::Signed;
use serde_json::json;

pub(super) async fn put(
    http: &reqwest::Client,
    url: &str,
    anchor: &Anchor,
    signed: &Signed,
) -> anyhow::Result<()> {
    let checkpoint = &signed.checkpoint;
    let body = json!({
        "place": anchor.place,
        "written_ms": anchor.written_ms,
        "checkpoint": anchor.checkpoint,
        "origin": checkpoint.origin,
        "entries": checkpoint.size,
        "root": checkpoint.root,
    });
    // Its path may be a secret: an error must not repeat it.
    let answer = http.post(url).json(&body).send().await.map_err(reqwest::Error::without_url)?;
    anyhow::ensure!(answer.status().is_success(), "it answered {}", answer.status());
    Ok(())
}
