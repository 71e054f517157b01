use std::sync::Arc;

use tokio::sync::Notify;

/// Wakes a task before its timer does. Cheap to clone, never blocks.
///
/// Activations while the task runs are not lost: together they cause one more run.
#[derive(Clone, Debug, Default)]
pub struct Activator(Arc<Notify>);

impl Activator {
    /// Asks for a run now.
    pub fn activate(&self) {
        self.0.notify_one();
    }

    pub(crate) async fn activated(&self) {
        self.0.notified().await;
    }
}
