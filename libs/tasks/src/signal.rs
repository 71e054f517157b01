use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a shell expects of a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// Cancels `shutdown` on SIGTERM or SIGINT; a second signal ends the process at once with exit code 130.
///
/// The handlers are in place when this returns. Call it once, inside the runtime, early in `main`.
///
/// # Errors
///
/// When the operating system refuses a signal handler.
pub fn cancel_on_signal(shutdown: CancellationToken) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        let first = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!("{first} received, shutting down");
        shutdown.cancel();

        // Whoever signals twice does not want to wait for the grace period.
        let second = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::warn!("{second} received during shutdown, exiting at once");
        std::process::exit(INTERRUPTED);
    });
    Ok(())
}
