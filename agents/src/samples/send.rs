use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use tracing::{info, warn};

use super::Frame;
use crate::agent::Agent;
use crate::control::ControlError;

/// First and longest pause before a frame is tried again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Sends frames one after another, for ever.
pub(crate) async fn run(agent: Arc<Agent>) -> anyhow::Result<()> {
    let mut sender = Sender { agent: &agent, away: false };
    loop {
        let frame = agent.samples.next().await;
        sender.send(&frame).await;
        agent.samples.done(&frame);
    }
}

struct Sender<'a> {
    agent: &'a Agent,
    /// Whether it was said that the server does not take samples.
    away: bool,
}

impl Sender<'_> {
    /// Tries until the server has the frame, or says that it will never take it.
    async fn send(&mut self, frame: &Frame) {
        let (mut pause, mut defined) = (PAUSE.0, false);
        loop {
            let mut sent = self.agent.control.samples(frame.bytes.clone()).await;
            if let (Err(error), false) = (&sent, defined)
                && error.is(StatusCode::CONFLICT)
            {
                sent = self.define_everything().await;
                if sent.is_ok() {
                    defined = true;
                    continue;
                }
            }
            match sent {
                Ok(()) => {
                    if std::mem::take(&mut self.away) {
                        info!("the server takes samples again");
                    }
                    return;
                }
                // After all definitions it names a series that has ended since; or the server cannot read it.
                Err(error) if is_final(&error, defined) => {
                    warn!(%error, bytes = frame.bytes.len(), "the server refuses samples; dropped");
                    return;
                }
                Err(error) => {
                    if !std::mem::replace(&mut self.away, true) {
                        warn!(%error, "the server does not take samples; they are kept for a while");
                    }
                    let jitter = 0.5 + 0.5 * rand::random::<f64>();
                    tokio::time::sleep(pause.mul_f64(jitter)).await;
                    pause = (pause * 2).min(PAUSE.1);
                }
            }
        }
    }

    async fn define_everything(&self) -> Result<(), ControlError> {
        for frame in self.agent.samples.everything() {
            self.agent.control.samples(frame.into()).await?;
        }
        Ok(())
    }
}

fn is_final(error: &ControlError, defined: bool) -> bool {
    error.is(StatusCode::BAD_REQUEST)
        || error.is(StatusCode::PAYLOAD_TOO_LARGE)
        || (defined && error.is(StatusCode::CONFLICT))
}
