//! The InsightDesk realtime server.

fn main() -> std::process::ExitCode {
    ops_program::run("insightdesk-realtime", async move |settings, program| {
        ops_realtime::serve(ops_realtime::Config::from_settings(&settings)?, program).await
    })
}
