//! The InsightDesk worker.

fn main() -> std::process::ExitCode {
    ops_program::run("insightdesk-worker", async move |settings, program| {
        ops_worker::serve(ops_worker::Config::from_settings(&settings)?, program).await
    })
}
