use std::sync::Arc;

use ops_tasks::Task;
use serde::Serialize;

use crate::{App, clock};

/// Has the disk hold what was acknowledged, and series grow old.
pub(super) struct KeepSeries(pub(super) Arc<App>);

/// What a pass came to.
#[derive(Serialize)]
pub(super) struct Kept {
    written_segments: usize,
    removed_segments: usize,
    forgotten_series: usize,
}

impl Task for KeepSeries {
    const NAME: &'static str = "series";
    type Report = Kept;

    async fn run(&mut self) -> anyhow::Result<Kept> {
        let store = self.0.series.store.clone();
        let now_ms = clock::now().0.div_euclid(1_000);
        let kept = tokio::task::spawn_blocking(move || store.maintain(now_ms)).await??;
        Ok(Kept {
            written_segments: kept.written,
            removed_segments: kept.removed,
            forgotten_series: kept.forgotten,
        })
    }
}
