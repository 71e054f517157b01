//! The InsightDesk API. `insightdesk-api seed` brings development data into the database and ends.

fn main() -> std::process::ExitCode {
    let seed_only = std::env::args().nth(1).as_deref() == Some("seed");
    ops_program::run("insightdesk-api", async move |settings, program| {
        let config = ops_api::Config::from_settings(&settings, seed_only)?;
        if seed_only { ops_api::seed(config).await } else { ops_api::serve(config, program).await }
    })
}
