//! Outgoing mail by SMTP.

use std::time::Duration;

use anyhow::Context;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use ops_settings::Smtp;
use secrecy::ExposeSecret;

use crate::Config;

const DEADLINE: Duration = Duration::from_secs(10);

/// Sends mail, or says that it does not.
pub(crate) struct Mailer {
    transport: Option<AsyncSmtpTransport<Tokio1Executor>>,
    from: Mailbox,
}

/// A mail did not go out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// It never will.
    #[error("{0}")]
    Refused(String),
    /// It may, later.
    #[error("{0}")]
    Failed(String),
}

impl Mailer {
    /// Connects to nothing yet.
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        let from = config.mail_from.parse().context("EMAIL_FROM is no address")?;
        Ok(Self { transport: config.smtp.as_ref().map(transport).transpose()?, from })
    }

    /// Sends one mail; false when there is no mail server to send it by. `id` makes its Message-ID, so that a second copy is known as one.
    pub(crate) async fn send(
        &self,
        to: &str,
        subject: &str,
        text: &str,
        id: &str,
    ) -> Result<bool, SendError> {
        let Some(transport) = &self.transport else {
            tracing::info!(job.id = id, "no mail is sent: SMTP_HOST is not set");
            return Ok(false);
        };
        let refused = |what: &str| SendError::Refused(format!("{what} is not valid"));
        let to: Mailbox = to.parse().map_err(|_| refused("the address"))?;
        let message = Message::builder()
            .message_id(Some(format!("<{}@insightdesk>", id.replace(':', "-"))))
            .from(self.from.clone())
            .to(to)
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text.to_owned())
            .map_err(|_| refused("the mail"))?;
        match tokio::time::timeout(DEADLINE, transport.send(message)).await {
            Ok(Ok(_)) => Ok(true),
            Ok(Err(error)) if error.is_permanent() => {
                Err(SendError::Refused(format!("the mail server refuses: {error}")))
            }
            Ok(Err(error)) => Err(SendError::Failed(format!("the mail server failed: {error}"))),
            Err(_) => Err(SendError::Failed("the mail server did not answer in time".to_owned())),
        }
    }
}

fn transport(smtp: &Smtp) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
    let parameters = TlsParameters::new(smtp.host.clone())?;
    // 465 speaks TLS from the first byte; elsewhere it is taken when offered, and insisted on before a password is sent.
    let tls = match (smtp.port, &smtp.credentials) {
        (465, _) => Tls::Wrapper(parameters),
        (_, Some(_)) => Tls::Required(parameters),
        (_, None) => Tls::Opportunistic(parameters),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .port(smtp.port)
        .tls(tls)
        .timeout(Some(DEADLINE));
    if let Some((user, password)) = &smtp.credentials {
        builder = builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
    }
    Ok(builder.build())
}
