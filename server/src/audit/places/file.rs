//! A file of JSON lines, best on another host's disk. Only ever appended to.

use std::os::unix::fs::OpenOptionsExt;

use anyhow::Context;
use ops_audit::anchor::Anchor;
use ops_audit::export::{Line, Split, Splitter, parse};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Longest file that is read back: a hundred thousand anchors.
const LONGEST: u64 = 64 << 20;

pub(super) async fn put(path: &str, anchor: &Anchor) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    let mut file = tokio::fs::OpenOptions::from(options)
        .open(path)
        .await
        .with_context(|| format!("could not open {path}"))?;
    file.write_all(format!("{}\n", Line::Anchor(anchor.clone())).as_bytes()).await?;
    file.sync_all().await.with_context(|| format!("could not write {path}"))?;
    Ok(())
}

/// All anchors of the file; none when it is not there yet.
pub(super) async fn all(path: &str) -> anyhow::Result<Vec<Anchor>> {
    let file = match tokio::fs::File::open(path).await {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("could not open {path}")),
    };
    let (mut bytes, mut anchors, mut lines) = (Vec::new(), Vec::new(), Splitter::default());
    file.take(LONGEST).read_to_end(&mut bytes).await.with_context(|| format!("could not read {path}"))?;
    let mut keep = |line: Split<'_>| {
        if let Split::Line(line) = line
            && let Ok(Line::Anchor(anchor)) = parse(line)
        {
            anchors.push(anchor);
        }
    };
    lines.feed(&bytes, &mut keep);
    lines.finish(&mut keep);
    Ok(anchors)
}
