use std::ops::Range;

use ops_audit::hash::Hash;
use ops_audit::merkle::{self, Frontier, ProofError};
use ops_audit::receipt::Receipt;

use crate::App;
use crate::store::audit as table;

/// Leaf hashes that are read at once.
const AT_ONCE: u64 = 10_000;

/// Proof that an entry is in the log, by the newest signature; signs first when there is none that covers it. `None`:
/// there is no such entry.
pub(crate) async fn receipt(app: &App, seq: u64) -> anyhow::Result<Option<Receipt>> {
    let mut sealed = app.audit.last_seal(&app.store).await?;
    if sealed.as_ref().is_none_or(|it| it.checkpoint.size <= seq) {
        sealed = app.audit.seal_now(&app.store).await?;
    }
    let Some(sealed) = sealed.filter(|it| it.checkpoint.size > seq) else { return Ok(None) };
    let size = sealed.checkpoint.size;
    let mut wanted: Vec<Range<u64>> = Vec::new();
    // Which subtrees are needed is asked first, with hashes that mean nothing.
    merkle::inclusion(seq, size, |range| {
        wanted.push(range);
        Ok::<_, ProofError>(Hash([0; 32]))
    })?;
    let mut roots = Vec::with_capacity(wanted.len());
    for range in wanted {
        roots.push(root(app, range).await?);
    }
    let mut roots = roots.into_iter();
    let proof = merkle::inclusion(seq, size, |_| roots.next().ok_or(ProofError::WrongLength))?;
    let leaf = root(app, seq..seq + 1).await?;
    Ok(Some(Receipt { seq, leaf, proof, checkpoint: sealed.to_string() }))
}

async fn root(app: &App, range: Range<u64>) -> anyhow::Result<Hash> {
    let mut tree = Frontier::default();
    let mut from = range.start;
    while from < range.end {
        let to = range.end.min(from + AT_ONCE);
        let leaves = table::leaves(&mut *app.store.connection().await?, from, to).await?;
        anyhow::ensure!(leaves.len() as u64 == to - from, "entries are missing from the audit log");
        for leaf in leaves {
            tree.push(Hash::parse(&leaf)?);
        }
        from = to;
    }
    if range.end - range.start == 1 {
        let leaves = table::leaves(&mut *app.store.connection().await?, range.start, range.end).await?;
        return Ok(Hash::parse(leaves.first().map_or("", String::as_str))?);
    }
    Ok(tree.root())
}
