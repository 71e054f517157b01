//! An agent as a process of its own, so that tests can kill it.
//!
//! `agent_under_test SERVER_URL STATE_DIR SHIM`

use anyhow::Context;
use tokio_util::sync::CancellationToken;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut arguments = std::env::args().skip(1);
    let mut next = |name: &str| arguments.next().with_context(|| format!("{name} is missing"));
    let config = ops_agents::Config {
        server_url: next("server url")?,
        token: "agent-token".into(),
        state_dir: next("state folder")?.into(),
        shim: next("shim")?.into(),
    };
    ops_agents::run(config, CancellationToken::new()).await
}
