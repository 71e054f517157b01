//! What stands for AWS in tests: moto's server, in memory, on a free port, stopped when dropped.
//!
//! Found by `INSIGHTDESK_TEST_MOTO_BIN`, else where `./x peers` puts it.

use std::process::Command;
use std::time::Duration;

use anyhow::Context;

use crate::peers::{self, Peer};
use crate::program::client;
use crate::{eventually, free_port};

/// It imports half of Python first.
const START: Duration = Duration::from_secs(60);

/// AWS's services: Secrets Manager, KMS, S3 and more.
#[derive(Debug)]
pub struct Moto {
    peer: Peer,
    /// Its address, the `endpoint_url` of all services.
    pub url: String,
}

impl Moto {
    /// Starts one in which there is nothing.
    pub async fn start() -> anyhow::Result<Self> {
        let binary = peers::find("INSIGHTDESK_TEST_MOTO_BIN", "moto_server")?;
        let port = free_port()?;
        let mut command = Command::new(binary);
        let peer = Peer::start(command.args(["-H", "127.0.0.1", "-p", &port.to_string()]))?;
        let (http, url) = (client()?, format!("http://127.0.0.1:{port}"));
        let asked = format!("{url}/moto-api/data.json");
        let ready = eventually(START, async || http.get(&asked).send().await.ok()?.error_for_status().ok());
        ready.await.context("moto did not start in time")?;
        Ok(Self { peer, url })
    }

    /// What its clients need in their environment besides the address: credentials that open nothing, and a region.
    pub fn environment() -> [(&'static str, String); 4] {
        [
            ("AWS_ACCESS_KEY_ID", "testing".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "testing".to_owned()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// Ends it, as an outage would.
    pub fn stop(&mut self) {
        self.peer.end();
    }
}
